import { InvalidArgumentError } from '../errors.js';
import { formatShape } from '../shape.js';
import { checkLength } from './check.js';
import type { Reduction } from './crossEntropy.js';

/** Options of what can be reduced over the rows. */
export interface ReductionOptions {
  /** Default 'mean'. */
  readonly reduction?: Reduction | undefined;
  /** Also the gradient of the (reduced) result. Default false. */
  readonly grad?: boolean | undefined;
  /** Upstream gradient: a number, or for 'none' one for each value of the result. Default 1. */
  readonly gradOutput?: number | ArrayLike<number> | undefined;
}

/** The options of a reduction, checked and with their defaults filled in. */
export interface CheckedReduction {
  readonly reduction: Reduction;
  readonly gradOutput: number | ArrayLike<number>;
}

/**
 * @param unreduced shape of the result before the reduction
 * @throws InvalidArgumentError if an option is not usable
 */
export function checkReduction(
  op: string,
  options: ReductionOptions,
  unreduced: readonly number[],
): CheckedReduction {
  const { reduction = 'mean', gradOutput = 1 } = options;
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum') {
    throw new InvalidArgumentError(
      `${op}: reduction must be 'none', 'mean' or 'sum', got ${String(reduction)}.`,
      { op },
    );
  }
  if (typeof gradOutput !== 'number') {
    if (reduction !== 'none') {
      throw new InvalidArgumentError(
        `${op}: gradOutput must be a number for reduction '${reduction}'; values of shape ${formatShape(unreduced)} need 'none'.`,
        { op },
      );
    }
    checkLength(op, 'gradOutput', gradOutput, unreduced);
  }
  return { reduction, gradOutput };
}

/** The upstream gradient of value `i` of the unreduced result. */
export function upstreamAt(gradOutput: number | ArrayLike<number>, i: number): number {
  return typeof gradOutput === 'number' ? gradOutput : (gradOutput[i] as number);
}

/** `values` themselves for 'none', otherwise one value: their sum, for 'mean' over `divisor`. */
export function reduce(values: Float64Array, reduction: Reduction, divisor: number): Float64Array {
  if (reduction === 'none') return values;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return Float64Array.of(reduction === 'mean' ? sum / divisor : sum);
}
