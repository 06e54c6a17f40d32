import { InvalidArgumentError } from '../errors.js';
import { rowShape } from '../shape.js';
import { checkedLayout, checkLength } from './check.js';
import { checkReduction, type ReductionOptions, reduce, upstreamAt } from './reduction.js';
import { rowStart } from './row.js';
import type { AxisOptions } from './softmax.js';

/** Options of `nllLoss`. */
export interface NllLossOptions extends AxisOptions, ReductionOptions {
  /** Per-class weights, `[classes]`. */
  readonly weight?: ArrayLike<number> | undefined;
  /** Rows whose target equals it contribute nothing. Default -100. */
  readonly ignoreIndex?: number | undefined;
}

/** What `nllLoss` gives. */
export interface NllLossResult {
  /** In nats: one value a row for 'none', otherwise one value. */
  readonly loss: Float64Array;
  /** With respect to the log-probabilities, their shape. */
  readonly grad?: Float64Array;
  /** The first row whose target is neither in `[0, classes)` nor `ignoreIndex`. */
  readonly outOfRange?: {
    /** Counted from 0 over all rows. */
    readonly row: number;
    /** The index found there. */
    readonly value: number;
  };
}

/**
 * Negative log-likelihood of class indices, `-w_t logp_t`, and its gradient, in float64: PyTorch's `nll_loss`.
 *
 * The gradient is `-w_t g` at the target and exactly 0 elsewhere. A mean divides by the sum of the targets' class
 * weights (their number without weights).
 *
 * Nothing is normalised and IEEE arithmetic decides the rest: a target at -Infinity has the loss Infinity (NaN under a
 * weight of 0), and values that no target selects, NaN among them, do not matter. An ignored row has loss and gradient
 * exactly 0. A target out of range makes its row NaN, is named in `outOfRange` and counts in no mean (PyTorch raises).
 * A mean over no row is NaN.
 *
 * @param logProbs dense, row-major values of `shape`
 * @param targets one class index a row
 * @throws InvalidArgumentError if an array does not fit `shape`, or an option is not usable
 */
export function nllLoss(
  logProbs: ArrayLike<number>,
  targets: Int32Array | Uint32Array,
  shape: readonly number[],
  options: NllLossOptions = {},
): NllLossResult {
  const op = 'nllLoss';
  const layout = checkedLayout(op, shape, options.axis);
  const perRowShape = rowShape(layout);
  checkLength(op, 'logProbs', logProbs, shape);
  checkIndices(op, targets, perRowShape);
  const { weight, ignoreIndex = -100 } = options;
  if (weight) checkLength(op, 'weight', weight, [layout.classes]);
  if (!Number.isSafeInteger(ignoreIndex)) {
    throw new InvalidArgumentError(`${op}: ignoreIndex must be a whole number, got ${ignoreIndex}.`, { op });
  }
  const { reduction, gradOutput } = checkReduction(op, options, perRowShape);
  const { rows, classes, inner } = layout;

  const perRow = new Float64Array(rows);
  let weightSum = 0;
  let outOfRange: NllLossResult['outOfRange'];
  for (let r = 0; r < rows; r++) {
    const target = targets[r] as number;
    if (target === ignoreIndex) continue;
    if (target < 0 || target >= classes) {
      outOfRange ??= { row: r, value: target };
      perRow[r] = Number.NaN;
      continue;
    }
    const w = weight ? (weight[target] as number) : 1;
    weightSum += w;
    perRow[r] = -w * (logProbs[rowStart(layout, r) + target * inner] as number);
  }

  const divisor = reduction === 'mean' ? weightSum : 1;
  const grad = options.grad ? new Float64Array(logProbs.length) : undefined;
  for (let r = 0; grad && r < rows; r++) {
    const target = targets[r] as number;
    if (target === ignoreIndex) continue;
    const start = rowStart(layout, r);
    if (target < 0 || target >= classes) {
      for (let c = 0, i = start; c < classes; c++, i += inner) grad[i] = Number.NaN;
      continue;
    }
    const scale = upstreamAt(gradOutput, r) / divisor;
    grad[start + target * inner] = -scale * (weight ? (weight[target] as number) : 1);
  }
  return {
    loss: reduce(perRow, reduction, divisor),
    ...(grad && { grad }),
    ...(outOfRange && { outOfRange }),
  };
}

/** Throws `InvalidArgumentError` unless `targets` is an integer array of `shape`. */
export function checkIndices(op: string, targets: Int32Array | Uint32Array, shape: readonly number[]): void {
  if (!(targets instanceof Int32Array || targets instanceof Uint32Array)) {
    throw new InvalidArgumentError(`${op}: targets must be an Int32Array or Uint32Array of class indices.`, {
      op,
    });
  }
  checkLength(op, 'targets', targets, shape);
}
