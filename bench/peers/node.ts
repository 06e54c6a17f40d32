// The comparison in Node, on one of Dawn's adapters: a process of its own, since drivers belong to a process.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Case } from '../measure/contender.js';
import type { Row } from '../report/row.js';
import { buildProgram } from './build.js';
import type { PeerBenchOptions } from './peerBench.js';
import type { Place } from './place.js';
import type { Answer, Start } from './program.js';

const WASM = new URL(
  './node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm',
  import.meta.url,
);

export async function openNode(adapter: string, options: PeerBenchOptions): Promise<Place> {
  const child = fork(await buildProgram(), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
  let complaints = '';
  // Drivers and frameworks are loud; it matters only where something fails.
  child.stderr?.on('data', (chunk) => {
    complaints = `${complaints}${chunk}`.slice(-4000);
  });
  const ask = (question: Start | Case): Promise<readonly Row[]> =>
    new Promise((resolve, reject) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
        reject(new Error(`its process ended with ${signal ?? `code ${code}`}: ${complaints.trim()}`));
      };
      if (!child.connected) {
        ended(child.exitCode, child.signalCode);
        return;
      }
      child.once('exit', ended);
      child.once('message', (answer: Answer) => {
        child.off('exit', ended);
        if ('rows' in answer) resolve(answer.rows);
        else reject(new Error(answer.failure));
      });
      child.send(question);
    });
  const close = async (): Promise<void> => {
    // Not asked to end in order: some drivers crash while they are taken down.
    child.kill('SIGKILL');
  };
  try {
    await ask({ adapter, wasm: fileURLToPath(WASM), options });
    return { measure: ask, close };
  } catch (error) {
    await close();
    throw error;
  }
}
