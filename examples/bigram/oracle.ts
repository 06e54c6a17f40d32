import { crossEntropy } from 'webgpu-loss/cpu';
import type { Trained } from './train.js';

/** How far the device's results are from the float64 implementation's. */
export interface OracleAgreement {
  /** Number of rows compared. */
  readonly rows: number;
  /** Largest difference of a row's loss, nats. */
  readonly loss: number;
  /** Largest difference of an element of the gradient, per occurrence of its row: a difference of probabilities. */
  readonly gradient: number;
}

/**
 * Computes loss and gradient of some rows again with `webgpu-loss/cpu`, in float64 from the same f32 logits.
 *
 * @param size V
 * @param wanted how many rows, spread evenly from the commonest token to the rarest
 */
export function compareWithOracle(trained: Trained, size: number, wanted = 64): OracleAgreement {
  const { logits, targets, rowWeights, losses, gradient } = trained;
  const stride = Math.max(1, Math.floor(size / wanted));
  let rows = 0;
  let lossDifference = 0;
  let gradientDifference = 0;
  for (let row = 0; row < size; row += stride) {
    const weight = rowWeights[row]!;
    if (weight === 0) continue;
    const start = row * size;
    const end = start + size;
    const expected = crossEntropy(logits.subarray(start, end), targets.subarray(start, end), [1, size], {
      reduction: 'none',
      grad: true,
      gradOutput: weight,
    });
    rows++;
    // Math.max keeps a NaN, so a broken row shows.
    lossDifference = Math.max(lossDifference, Math.abs(losses[row]! - expected.loss[0]!));
    for (let next = 0; next < size; next++) {
      const difference = Math.abs(gradient[start + next]! - expected.grad![next]!);
      gradientDifference = Math.max(gradientDifference, difference / weight);
    }
  }
  return { rows, loss: lossDifference, gradient: gradientDifference };
}
