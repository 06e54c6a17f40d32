import { rowShape } from '../shape.js';
import { checkedLayout, checkLength } from './check.js';
import { measureRow, newRowStats, readRow, rowStart } from './row.js';
import type { AxisOptions } from './softmax.js';

/**
 * `max + log(sum_c exp(x_c - max))` along the class axis, in float64.
 *
 * Nothing but -Infinity gives -Infinity, a +Infinity gives +Infinity, a NaN gives NaN.
 *
 * @param logits dense, row-major values of `shape`
 * @returns one value a row in nats, `shape` without the class axis
 * @throws InvalidArgumentError if `logits` does not fit `shape`, or `axis` is not an axis
 */
export function logSumExp(
  logits: ArrayLike<number>,
  shape: readonly number[],
  options: AxisOptions = {},
): Float64Array {
  const op = 'logSumExp';
  const layout = checkedLayout(op, shape, options.axis);
  checkLength(op, 'logits', logits, shape);
  const out = new Float64Array(layout.rows);
  const row = new Float64Array(layout.classes);
  const exps = new Float64Array(layout.classes);
  const stats = newRowStats();
  for (let r = 0; r < layout.rows; r++) {
    readRow(logits, layout, r, row);
    measureRow(row, exps, stats);
    out[r] = stats.logSumExp;
  }
  return out;
}

/**
 * Gradient of `logSumExp` with respect to the logits: `g exp(x_c - lse)`, with `g` and `lse` of the row.
 *
 * It can be no better than the given `lse`: one rounded to float32 shifts every exponent by up to `2^-24 |lse|`.
 * NaN and infinities follow IEEE arithmetic, and a row whose `lse` is -Infinity is NaN.
 *
 * @param logits dense, row-major values of `shape`
 * @param lse what `logSumExp` returned, one value a row
 * @param gradOutput upstream gradient, one value a row
 * @returns gradient, values of `shape`
 * @throws InvalidArgumentError if an array does not fit `shape`, or `axis` is not an axis
 */
export function logSumExpGrad(
  logits: ArrayLike<number>,
  lse: ArrayLike<number>,
  gradOutput: ArrayLike<number>,
  shape: readonly number[],
  options: AxisOptions = {},
): Float64Array {
  const op = 'logSumExpGrad';
  const layout = checkedLayout(op, shape, options.axis);
  const perRow = rowShape(layout);
  checkLength(op, 'logits', logits, shape);
  checkLength(op, 'lse', lse, perRow);
  checkLength(op, 'gradOutput', gradOutput, perRow);
  const { classes, inner, rows } = layout;
  const out = new Float64Array(logits.length);
  for (let r = 0; r < rows; r++) {
    const given = lse[r] as number;
    const shift = given === Number.NEGATIVE_INFINITY ? Number.NaN : given;
    const g = gradOutput[r] as number;
    for (let c = 0, i = rowStart(layout, r); c < classes; c++, i += inner) {
      out[i] = g * Math.exp((logits[i] as number) - shift);
    }
  }
  return out;
}
