import { fork } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Inspection } from './inspect.js';

// Not `new URL(…, import.meta.url)`, whose file Vite would put in its place.
const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), 'inspect.js');
/** Long enough for a software adapter on a busy machine to compile everything. */
const PATIENCE_MS = 300_000;
/** Of what a process wrote before it crashed. */
const MOST_OUTPUT = 2000;

/** What `inspect` finds in a process of its own; a crash or a hang is a problem like others. */
export function inspectApart(adapter: string): Promise<Inspection> {
  return new Promise((resolve) => {
    const child = fork(PROGRAM, [adapter], {
      // Infinity and NaN must arrive as what they are.
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    child.stderr?.on('data', (data: Buffer) => {
      output = (output + String(data)).slice(-MOST_OUTPUT);
    });
    child.on('message', (report: Inspection) => resolve(report));
    const ended = (how: string): void => {
      const said = output.trim() === '' ? '' : ` It wrote: ${output.trim()}`;
      resolve({ adapters: [], problem: `the process that looked at WebGPU ${how}.${said}` });
    };
    child.on('error', (error) => ended(`did not start: ${error.message}`));
    child.on('close', (code, signal) =>
      ended(
        signal === 'SIGKILL'
          ? 'was ended, by the system or after five minutes'
          : `ended with ${signal ?? `exit code ${code}`}; a driver may be broken`,
      ),
    );
  });
}
