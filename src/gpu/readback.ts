import type { Download } from '../backend.js';
import { inWords, WORD_BYTES } from '../dtype.js';
import { type LossError, ValidationError } from '../errors.js';
import type { LossDevice } from './device.js';

// GPUBufferUsage and GPUMapMode; the globals are missing in Node.
const MAP_READ = 0x1;
const COPY_DST = 0x8;
const READ = 0x1;

/**
 * Copies `bytes` bytes out of a buffer. A map resolves with stale contents when the copy failed, so `failure` must be looked at first:
 * it holds what the device said of the copy, and of the map.
 */
export function download(
  runtime: LossDevice,
  buffer: GPUBuffer,
  byteOffset: number,
  bytes: number,
): Download {
  if (bytes === 0) return { failure: Promise.resolve(undefined), bytes: Promise.resolve(new ArrayBuffer(0)) };
  const { device } = runtime;
  // Copies are of whole words; 16-bit elements may begin or end within one.
  const within = byteOffset % WORD_BYTES;
  const size = inWords(within + bytes);
  const { result: staging, failure: refused } = runtime.scoped('read', () => {
    const target = device.createBuffer({
      __proto__: null,
      label: 'webgpu-loss read',
      size,
      usage: MAP_READ | COPY_DST,
    } as GPUBufferDescriptor);
    const encoder = device.createCommandEncoder({ label: 'webgpu-loss read' });
    encoder.copyBufferToBuffer(buffer, byteOffset - within, target, 0, size);
    device.queue.submit([encoder.finish()]);
    // Within the scopes: where there is no memory, the map is refused as well.
    return { target, mapping: target.mapAsync(READ) };
  });
  const mapped = collect(staging.target, staging.mapping, within, bytes);
  mapped.catch(() => undefined);
  return { failure: outcome(runtime, refused, mapped), bytes: mapped };
}

async function collect(
  staging: GPUBuffer,
  mapping: Promise<undefined>,
  from: number,
  bytes: number,
): Promise<ArrayBuffer> {
  try {
    await mapping;
    return staging.getMappedRange().slice(from, from + bytes);
  } finally {
    staging.destroy();
  }
}

async function outcome(
  runtime: LossDevice,
  refused: Promise<LossError | undefined>,
  mapped: Promise<ArrayBuffer>,
): Promise<LossError | undefined> {
  const mapping: LossError | undefined = await mapped.then(
    () => undefined,
    (cause) =>
      new ValidationError(`read: the result could not be mapped: ${String(cause)}`, {
        op: 'read',
        adapter: runtime.facts,
        cause,
      }),
  );
  const refusal = await refused;
  // A map that fails alone mostly means that the device went; its loss may be told a little later.
  return refusal ?? (mapping && ((await runtime.lossSoon()) ?? mapping));
}
