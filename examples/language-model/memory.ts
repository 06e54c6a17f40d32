import { CONTEXT } from './batch.js';
import type { Sizes } from './model.js';

/** Bytes that a training takes. */
export interface Memory {
  /** The logits of a batch, and their gradient, as they would be: never held. */
  readonly logits: number;
  /** What the plan holds in their place. */
  readonly scratch: number;
  readonly parameters: number;
  readonly gradients: number;
  /** Adam's two averages, and one number a row of the embeddings. */
  readonly optimizer: number;
}

/** What a training of these sizes takes, besides scratch memory; nothing has to be allocated to know it. */
export function memoryOf({ classes, features, rows }: Sizes): Omit<Memory, 'scratch'> {
  const matrix = matrixBytes({ classes, features });
  const head = matrix + 4 * classes;
  const positions = 4 * CONTEXT * features;
  return {
    logits: 2 * 4 * rows * classes,
    parameters: matrix + positions + head,
    gradients: head + positions + 4 * rows * features,
    optimizer: 2 * (head + positions) + 4 * classes,
  };
}

/** Of the embeddings, and of the head. */
function matrixBytes({ classes, features }: Pick<Sizes, 'classes' | 'features'>): number {
  return 4 * classes * features;
}

/** Where a matrix of the model is larger than what the kernels of a device can bind, its bytes and theirs; `undefined` where it is not. */
export function tooLargeToBind(
  sizes: Pick<Sizes, 'classes' | 'features'>,
  limits: Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>,
): { readonly needed: number; readonly most: number } | undefined {
  const needed = matrixBytes(sizes);
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  return needed > most ? { needed, most } : undefined;
}
