// Runs in a process of Node that has been started for it: the comparison on one of Dawn's adapters, one case at a time.
import { readFile } from 'node:fs/promises';
import { gpu } from '../../src/node.js';
import type { Case } from '../measure/contender.js';
import type { Row } from '../report/row.js';
import { openPeerBench, type PeerBenchOptions } from './peerBench.js';

/** What the process is asked to do first. */
export interface Start {
  readonly adapter: string;
  /** The file with the WebAssembly of ONNX Runtime. */
  readonly wasm: string;
  readonly options: PeerBenchOptions;
}

/** What it answers: once after the start, and once after each case. */
export type Answer = { readonly rows: readonly Row[] } | { readonly failure: string };

/** Puts Dawn's WebGPU where a browser has its own: frameworks look for it there. */
async function becomeBrowser(adapter: string): Promise<GPU> {
  const opened = await gpu({ adapter });
  const { globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu: opened, userAgent: 'Node', hardwareConcurrency: 1 },
    configurable: true,
  });
  acceptSharedMemory(GPUQueue.prototype);
  return opened;
}

/** Dawn for Node refuses shared memory, which is what ONNX Runtime's WebAssembly has: it gets a copy. */
function acceptSharedMemory(queue: GPUQueue): void {
  const { writeBuffer } = queue;
  queue.writeBuffer = function (buffer, offset, data, from = 0, size?) {
    const isShared = data instanceof Uint8Array && data.buffer instanceof SharedArrayBuffer;
    if (!isShared) return writeBuffer.call(this, buffer, offset, data as BufferSource, from, size);
    return writeBuffer.call(this, buffer, offset, data.slice(from, size && from + size));
  };
}

async function answer(work: () => Promise<readonly Row[]>): Promise<void> {
  try {
    process.send?.({ rows: await work() } satisfies Answer);
  } catch (error) {
    process.send?.({ failure: error instanceof Error ? error.message : String(error) } satisfies Answer);
  }
}

process.once('message', (start: Start) => {
  const opening = (async () => {
    const surroundings = {
      gpu: await becomeBrowser(start.adapter),
      wasm: new Uint8Array(await readFile(start.wasm)),
    };
    return openPeerBench(start.options, surroundings);
  })();
  process.on('message', (of: Case) => answer(async () => (await opening).measure(of)));
  void answer(async () => {
    await opening;
    return [];
  });
});
