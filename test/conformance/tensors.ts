import type { Tensor } from '../../src/index.js';

export type Keep = <T extends Tensor>(tensor: T) => T;

/** Runs `body` and destroys every tensor it kept, also when it throws. */
export async function withTensors<T>(body: (keep: Keep) => Promise<T>): Promise<T> {
  const kept = new Set<Tensor>();
  try {
    return await body((tensor) => {
      kept.add(tensor);
      return tensor;
    });
  } finally {
    for (const tensor of kept) tensor.destroy();
  }
}

/** The elements of a float tensor. */
export async function numbers(tensor: Tensor): Promise<Float32Array> {
  const values = await tensor.read();
  if (!(values instanceof Float32Array)) throw new Error(`read() gave a ${values.constructor.name}`);
  return values;
}

/** What `promise` rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return 'no error at all';
}

export function expectShape(tensor: Tensor, shape: readonly number[], name: string): void {
  if (tensor.shape.join() !== shape.join()) {
    throw new Error(
      `${name}: a result of shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`,
    );
  }
}

/**
 * The elements of a float tensor, to be compared bit by bit. JavaScript does not say which NaN it makes, so on the CPU all
 * are made the same; the kernels write only one.
 */
export async function comparable(tensor: Tensor): Promise<Float32Array> {
  const values = await numbers(tensor);
  if (tensor.context.backend !== 'cpu') return values;
  return values.map((value) => (Number.isNaN(value) ? Number.NaN : value));
}
