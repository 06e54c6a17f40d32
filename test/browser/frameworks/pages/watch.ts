// What the pages have in common: counting buffers, and errors in a form that can leave the page.
import type { ThrownError } from '../cases.js';

export interface BufferCount {
  /** GPU buffers of the device that were created and not destroyed since `watchBuffers`. */
  alive(): { readonly ownBuffers: number; readonly buffers: number };
}

export function watchBuffers(device: GPUDevice): BufferCount {
  const alive = new Set<GPUBuffer>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    alive.add(buffer);
    const destroy = buffer.destroy.bind(buffer);
    buffer.destroy = () => {
      alive.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  return {
    alive: () => ({
      ownBuffers: [...alive].filter(({ label }) => label.startsWith('webgpu-loss')).length,
      buffers: alive.size,
    }),
  };
}

/** What `work` throws or rejects with. */
export async function thrown(work: () => unknown): Promise<ThrownError> {
  try {
    await work();
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message };
  }
  return { name: 'nothing', message: 'nothing was thrown' };
}

/** Points in `classes` clouds on a circle, and which cloud each is of. */
function clouds(
  count: number,
  classes: number,
  next: () => number,
): { readonly points: Float32Array<ArrayBuffer>; readonly labels: Int32Array<ArrayBuffer> } {
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  const points = new Float32Array(2 * count);
  labels.forEach((label, i) => {
    const angle = (2 * Math.PI * label) / classes;
    points.set([Math.cos(angle) + 0.4 * (next() - 0.5), Math.sin(angle) + 0.4 * (next() - 0.5)], 2 * i);
  });
  return { points, labels };
}

/** Five clouds in batches of 30 and a last one of 20. */
export function cloudBatches(next: () => number): readonly {
  readonly rows: number;
  readonly points: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
}[] {
  const { points, labels } = clouds(80, 5, next);
  return [
    [0, 30],
    [30, 60],
    [60, 80],
  ].map(([from = 0, to = 0]) => ({
    rows: to - from,
    points: points.slice(2 * from, 2 * to),
    labels: labels.slice(from, to),
  }));
}
