import type { Layout } from '../../shape.js';
import type { CpuArray } from '../../spec.js';
import { type RowStats, rowStart } from '../row.js';
import { expRow, expSum, STEPS } from './exp.js';

/** What is done with row `row`: its logits are in `x`, and its results go into `out`, both from element `at` on. */
export type RowWork = (x: Float32Array, at: number, out: Float32Array, row: number) => void;

const NONE: Float32Array = /* @__PURE__ */ new Float32Array(0);

/**
 * Does `work` for each row. Rows that do not lie in one piece, and arrays of other than float32, go through buffers of one row.
 *
 * @param out what the results of the rows go into, if there is a value for each element; it may be the logits themselves
 */
export function eachRow(layout: Layout, logits: CpuArray, out: CpuArray | undefined, work: RowWork): void {
  const { rows, classes, inner } = layout;
  if (inner === 1 && logits instanceof Float32Array && (out ?? NONE) instanceof Float32Array) {
    for (let r = 0; r < rows; r++) work(logits, r * classes, (out ?? NONE) as Float32Array, r);
    return;
  }
  const x = new Float32Array(classes);
  const results = out === undefined ? NONE : new Float32Array(classes);
  for (let r = 0; r < rows; r++) {
    const start = rowStart(layout, r);
    for (let c = 0, i = start; c < classes; c++, i += inner) x[c] = logits[i] as number;
    work(x, 0, results, r);
    if (out === undefined) continue;
    for (let c = 0, i = start; c < classes; c++, i += inner) out[i] = results[c] as number;
  }
}

/** The place of the first maximum among elements `from` to `to`, NaN apart; -1 if nothing there is above -Infinity. */
export function peak(x: Float32Array, from: number, to: number): number {
  let max = Number.NEGATIVE_INFINITY;
  let at = -1;
  for (let i = from; i < to; i++) {
    const value = x[i] as number;
    if (value > max) {
      max = value;
      at = i;
    }
  }
  return at;
}

/**
 * Measures the row of logits in elements `at` to `to`, divided by the temperature, as `measureRow` does in float64: a row without a
 * softmax has NaN for `rest`, `sum` and `logSum`. But `max` is before the division, and `argmax` a place in `x`.
 *
 * @param argmax their `peak`
 * @param out where exp of each logit minus the maximum is left, if anywhere; may be `x`
 */
export function measure(
  x: Float32Array,
  at: number,
  to: number,
  argmax: number,
  temperature: number,
  stats: RowStats,
  out?: Float32Array,
): void {
  const max = argmax < 0 ? Number.NEGATIVE_INFINITY : (x[argmax] as number);
  stats.max = max;
  stats.argmax = argmax;
  if (!Number.isFinite(max)) {
    stats.rest = Number.NaN;
    stats.sum = Number.NaN;
    stats.logSum = Number.NaN;
    stats.logSumExp = x.subarray(at, to).some(Number.isNaN) ? Number.NaN : max;
    out?.fill(Number.NaN, at, to);
    return;
  }
  const scale = STEPS / temperature;
  if (out === undefined) {
    stats.rest = expSum(x, at, argmax, max, scale) + expSum(x, argmax + 1, to, max, scale);
  } else {
    stats.rest = expRow(x, at, argmax, max, scale, out) + expRow(x, argmax + 1, to, max, scale, out);
    out[argmax] = 1;
  }
  stats.sum = 1 + stats.rest;
  stats.logSum = Math.log1p(stats.rest);
  stats.logSumExp = max / temperature + stats.logSum;
}

/** Multiplies elements `at` to `to` by `factor`. */
export function scaleRow(out: Float32Array, at: number, to: number, factor: number): void {
  let i = at;
  for (; (to - i) & 3; i++) out[i] = (out[i] as number) * factor;
  for (; i < to; i += 4) {
    out[i] = (out[i] as number) * factor;
    out[i + 1] = (out[i + 1] as number) * factor;
    out[i + 2] = (out[i + 2] as number) * factor;
    out[i + 3] = (out[i + 3] as number) * factor;
  }
}
