import type { Prepared } from './contender.js';
import { COPY_DST, COPY_SRC, MAP_READ, MODE_READ, QUERY_RESOLVE } from './usage.js';

/** What time is taken by: the timestamps of the GPU, or the time until the device says that it is done. */
export type ClockName = 'timestamps' | 'wall';

/** Milliseconds that `times` executions take. */
export type Clock = (prepared: Prepared, times: number) => Promise<number>;

export const wallClock: Clock = async (prepared, times) => {
  const start = performance.now();
  await prepared.submit(times);
  await prepared.done();
  return performance.now() - start;
};

const TIMESTAMP_BYTES = 8;
const NANOSECONDS = 1e6;

/** The clock of the GPU around one pass. Without the feature `timestamp-query`, there is none. */
export function timestampClock(device: GPUDevice): { readonly clock: Clock; destroy(): void } {
  const querySet = device.createQuerySet({ type: 'timestamp', count: 2 });
  const size = 2 * TIMESTAMP_BYTES;
  const resolved = device.createBuffer({
    size,
    usage: QUERY_RESOLVE | COPY_SRC,
  });
  const staging = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
  const clock: Clock = async ({ gpu }, times) => {
    if (gpu?.device !== device) throw new Error('only what runs on this device can be timed by its clock');
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
    for (let k = 0; k < times; k++) gpu.encode(pass);
    pass.end();
    encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MODE_READ);
    const [begin, end] = new BigUint64Array(staging.getMappedRange().slice(0));
    staging.unmap();
    return Number((end as bigint) - (begin as bigint)) / NANOSECONDS;
  };
  return {
    clock,
    destroy() {
      querySet.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
}
