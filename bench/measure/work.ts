import type { Prepared } from './contender.js';

/** Submission by the `times`, of work that records itself into a pass. */
export function workOn(
  device: GPUDevice,
  encode: (pass: GPUComputePassEncoder) => void,
): Pick<Prepared, 'submit' | 'done' | 'gpu'> {
  return {
    submit(times) {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let k = 0; k < times; k++) encode(pass);
      pass.end();
      device.queue.submit([encoder.finish()]);
    },
    async done() {
      await device.queue.onSubmittedWorkDone();
    },
    gpu: { device, encode },
  };
}

/** Runs the work once, and says in how many milliseconds it was done. */
export async function timeOnce({ submit, done }: Pick<Prepared, 'submit' | 'done'>): Promise<number> {
  const start = performance.now();
  await submit(1);
  await done();
  return performance.now() - start;
}

/** Some things of a kind, given one after the other, over and over. */
export interface Rotation<T> {
  readonly all: readonly T[];
  next(): T;
}

export function rotation<T>(count: number, make: () => T): Rotation<T> {
  const all = Array.from({ length: count }, make);
  let turn = 0;
  return { all, next: () => all[turn++ % count] as T };
}

/** How many sets of buffers have `rotate` bytes in all, so that none is still in a cache when its turn comes again. */
export function setsFor(bytes: number, rotate: number): number {
  return Math.max(1, Math.ceil(rotate / bytes));
}
