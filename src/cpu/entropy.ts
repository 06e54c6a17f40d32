import { rowShape } from '../shape.js';
import { checkedLayout, checkLength } from './check.js';
import { checkReduction, type ReductionOptions, reduce, upstreamAt } from './reduction.js';
import { measureRow, newRowStats, type RowStats, readRow, writeRow } from './row.js';
import type { AxisOptions } from './softmax.js';

/** Options of `entropy`. */
export interface EntropyOptions extends AxisOptions, ReductionOptions {}

/** What `entropy` gives. */
export interface EntropyResult {
  /** In nats: one value a row for 'none', otherwise one value. */
  readonly entropy: Float64Array;
  /** With respect to the logits, their shape. */
  readonly grad?: Float64Array;
}

/**
 * Entropy of `p = softmax(logits)` along the class axis, and its gradient, in float64:
 *
 *     H = -sum_c p_c log p_c = log sum_k exp(x_k - max) + D,   D = sum_c p_c (max - x_c)
 *     dH/dx_c = -p_c (log p_c + H) = p_c ((max - x_c) - D)
 *
 * The right-hand forms add what is positive: an entropy of 1e-20, and its gradient, keep their digits.
 *
 * Special rows are those of PyTorch's `Categorical(logits).entropy()`, except where said: a logit of -Infinity
 * contributes 0 (`0 log 0 = 0`) and has the gradient 0; a row with a NaN or +Infinity, or with nothing but -Infinity,
 * is NaN throughout; logits of any finite size are exact (PyTorch forms `x - logsumexp(x)` and loses them from 1e4 on).
 * A mean over no row is NaN.
 *
 * @param logits dense, row-major values of `shape`
 * @throws InvalidArgumentError if an array does not fit `shape`, or an option is not usable
 */
export function entropy(
  logits: ArrayLike<number>,
  shape: readonly number[],
  options: EntropyOptions = {},
): EntropyResult {
  const op = 'entropy';
  const layout = checkedLayout(op, shape, options.axis);
  checkLength(op, 'logits', logits, shape);
  const { reduction, gradOutput } = checkReduction(op, options, rowShape(layout));
  const { rows, classes } = layout;
  const divisor = reduction === 'mean' ? rows : 1;
  const perRow = new Float64Array(rows);
  const grad = options.grad ? new Float64Array(logits.length) : undefined;
  const row = new Float64Array(classes);
  const exps = new Float64Array(classes);
  const stats = newRowStats();

  for (let r = 0; r < rows; r++) {
    readRow(logits, layout, r, row);
    measureRow(row, exps, stats);
    const gap = meanGap(row, exps, stats);
    perRow[r] = stats.logSum + gap;
    if (!grad) continue;
    const scale = upstreamAt(gradOutput, r) / divisor;
    for (let c = 0; c < classes; c++) {
      const p = (exps[c] as number) / stats.sum;
      // A masked column has an infinite gap.
      row[c] = scale * (p === 0 ? 0 : p * (stats.max - (row[c] as number) - gap));
    }
    writeRow(row, layout, r, grad);
  }
  return { entropy: reduce(perRow, reduction, divisor), ...(grad && { grad }) };
}

/** `sum_c p_c (max - x_c)`, the mean distance from the maximum; NaN for a row without a softmax. */
export function meanGap(row: Float64Array, exps: Float64Array, stats: RowStats): number {
  let sum = 0;
  for (let c = 0; c < row.length; c++) {
    const e = exps[c] as number;
    if (e !== 0) sum += e * (stats.max - (row[c] as number));
  }
  return sum / stats.sum;
}
