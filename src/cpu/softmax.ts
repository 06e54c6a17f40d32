import { checkedLayout, checkLength, checkPositive } from './check.js';
import { measureRow, newRowStats, readRow, rowStart, writeRow } from './row.js';
import { divideRow } from './transform.js';

/** Options of what works along a class axis. */
export interface AxisOptions {
  /** The class axis; negative counts from the back. Default -1. */
  readonly axis?: number | undefined;
}

/** Options of `softmax` and `logSoftmax`. */
export interface SoftmaxOptions extends AxisOptions {
  /** Logits are divided by it first; finite and above 0. Default 1. */
  readonly temperature?: number | undefined;
}

/**
 * `p_c = exp(x_c - max) / sum_k exp(x_k - max)` along the class axis, in float64.
 *
 * A row with a NaN or a +Infinity, or with nothing but -Infinity, gives NaN throughout; a single -Infinity gives 0.
 *
 * @param logits dense, row-major values of `shape`
 * @returns probabilities, same shape
 * @throws InvalidArgumentError if `logits` does not fit `shape`, or an option is not usable
 */
export function softmax(
  logits: ArrayLike<number>,
  shape: readonly number[],
  options: SoftmaxOptions = {},
): Float64Array {
  const op = 'softmax';
  const { layout, temperature } = prepare(op, logits, shape, options);
  const out = new Float64Array(logits.length);
  const row = new Float64Array(layout.classes);
  const exps = new Float64Array(layout.classes);
  const stats = newRowStats();
  for (let r = 0; r < layout.rows; r++) {
    readRow(logits, layout, r, row);
    divideRow(row, temperature);
    measureRow(row, exps, stats);
    for (let c = 0; c < layout.classes; c++) exps[c] = (exps[c] as number) / stats.sum;
    writeRow(exps, layout, r, out);
  }
  return out;
}

/**
 * `(x_c - max) - log(sum_k exp(x_k - max))` along the class axis, in float64: the logarithm of `softmax`
 * without its underflow. Special rows are those of `softmax`; a single -Infinity stays -Infinity.
 *
 * @param logits dense, row-major values of `shape`
 * @returns log-probabilities in nats, same shape
 * @throws InvalidArgumentError if `logits` does not fit `shape`, or an option is not usable
 */
export function logSoftmax(
  logits: ArrayLike<number>,
  shape: readonly number[],
  options: SoftmaxOptions = {},
): Float64Array {
  const op = 'logSoftmax';
  const { layout, temperature } = prepare(op, logits, shape, options);
  const out = new Float64Array(logits.length);
  const row = new Float64Array(layout.classes);
  const exps = new Float64Array(layout.classes);
  const stats = newRowStats();
  for (let r = 0; r < layout.rows; r++) {
    readRow(logits, layout, r, row);
    divideRow(row, temperature);
    measureRow(row, exps, stats);
    const { max, logSum } = stats;
    for (let c = 0; c < layout.classes; c++) row[c] = (row[c] as number) - max - logSum;
    writeRow(row, layout, r, out);
  }
  return out;
}

/**
 * Gradient of `softmax` with respect to the logits: `p_c (g_c - sum_k p_k g_k)`.
 * NaN and infinities follow IEEE arithmetic.
 *
 * @param probs what `softmax` returned, values of `shape`
 * @param gradOutput upstream gradient, values of `shape`
 * @returns gradient, same shape
 * @throws InvalidArgumentError if an array does not fit `shape`, or `axis` is not an axis
 */
export function softmaxGrad(
  probs: ArrayLike<number>,
  gradOutput: ArrayLike<number>,
  shape: readonly number[],
  options: AxisOptions = {},
): Float64Array {
  const op = 'softmaxGrad';
  const layout = checkedLayout(op, shape, options.axis);
  checkLength(op, 'probs', probs, shape);
  checkLength(op, 'gradOutput', gradOutput, shape);
  const { classes, inner, rows } = layout;
  const out = new Float64Array(probs.length);
  for (let r = 0; r < rows; r++) {
    const start = rowStart(layout, r);
    let mean = 0;
    for (let c = 0, i = start; c < classes; c++, i += inner) {
      mean += (probs[i] as number) * (gradOutput[i] as number);
    }
    for (let c = 0, i = start; c < classes; c++, i += inner) {
      out[i] = (probs[i] as number) * ((gradOutput[i] as number) - mean);
    }
  }
  return out;
}

/**
 * Gradient of `logSoftmax` with respect to the logits: `g_c - exp(logp_c) sum_k g_k`.
 * NaN and infinities follow IEEE arithmetic.
 *
 * @param logProbs what `logSoftmax` returned, values of `shape`
 * @param gradOutput upstream gradient, values of `shape`
 * @returns gradient, same shape
 * @throws InvalidArgumentError if an array does not fit `shape`, or `axis` is not an axis
 */
export function logSoftmaxGrad(
  logProbs: ArrayLike<number>,
  gradOutput: ArrayLike<number>,
  shape: readonly number[],
  options: AxisOptions = {},
): Float64Array {
  const op = 'logSoftmaxGrad';
  const layout = checkedLayout(op, shape, options.axis);
  checkLength(op, 'logProbs', logProbs, shape);
  checkLength(op, 'gradOutput', gradOutput, shape);
  const { classes, inner, rows } = layout;
  const out = new Float64Array(logProbs.length);
  for (let r = 0; r < rows; r++) {
    const start = rowStart(layout, r);
    let sum = 0;
    for (let c = 0, i = start; c < classes; c++, i += inner) sum += gradOutput[i] as number;
    for (let c = 0, i = start; c < classes; c++, i += inner) {
      out[i] = (gradOutput[i] as number) - Math.exp(logProbs[i] as number) * sum;
    }
  }
  return out;
}

function prepare(
  op: string,
  logits: ArrayLike<number>,
  shape: readonly number[],
  options: SoftmaxOptions,
): { layout: ReturnType<typeof checkedLayout>; temperature: number } {
  const layout = checkedLayout(op, shape, options.axis);
  checkLength(op, 'logits', logits, shape);
  const temperature = options.temperature ?? 1;
  checkPositive(op, 'temperature', temperature);
  return { layout, temperature };
}
