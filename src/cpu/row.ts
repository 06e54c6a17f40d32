import type { Layout } from '../shape.js';

/** Index of class 0 of row `r`; the classes of a row are `layout.inner` apart. */
export function rowStart(layout: Layout, r: number): number {
  const { classes, inner } = layout;
  return inner === 1 ? r * classes : Math.floor(r / inner) * classes * inner + (r % inner);
}

/** Copies row `r` of a dense array into `row`, in float64 and contiguous. */
export function readRow(values: ArrayLike<number>, layout: Layout, r: number, row: Float64Array): void {
  const { classes, inner } = layout;
  for (let c = 0, i = rowStart(layout, r); c < classes; c++, i += inner) row[c] = values[i] as number;
}

/** The reverse of `readRow`. */
export function writeRow(row: Float64Array, layout: Layout, r: number, values: Float64Array): void {
  const { classes, inner } = layout;
  for (let c = 0, i = rowStart(layout, r); c < classes; c++, i += inner) values[i] = row[c] as number;
}

/** What softmax and everything built on it need to know of one row. */
export interface RowStats {
  max: number;
  /** The first class that holds the maximum; -1 if no logit is above -Infinity. */
  argmax: number;
  /** Sum of `exp(x_c - max)` without the term of `argmax`, which is exactly 1. */
  rest: number;
  /** `1 + rest`. */
  sum: number;
  /** `log(sum)`, accurate even if `rest` is far below the float64 resolution of 1. */
  logSum: number;
  /** `max + logSum`, or what a special row gives: -Infinity, Infinity or NaN. */
  logSumExp: number;
}

export function newRowStats(): RowStats {
  return { max: 0, argmax: 0, rest: 0, sum: 0, logSum: 0, logSumExp: 0 };
}

/**
 * Measures one row and leaves `exp(x_c - max)` in `exps`.
 *
 * A row with a NaN or a +Infinity, or with nothing but -Infinity, has no softmax: `exps`, `rest`, `sum` and
 * `logSum` are then NaN, so that everything computed from them is too, while `logSumExp` keeps the limit.
 *
 * @param row logits of one row, `[classes]`
 * @param exps `[classes]`, overwritten
 */
export function measureRow(row: Float64Array, exps: Float64Array, stats: RowStats): void {
  const classes = row.length;
  let max = Number.NEGATIVE_INFINITY;
  let argmax = -1;
  let hasNaN = false;
  for (let c = 0; c < classes; c++) {
    const x = row[c] as number;
    if (x > max) {
      max = x;
      argmax = c;
    } else if (Number.isNaN(x)) {
      hasNaN = true;
    }
  }
  stats.max = max;
  stats.argmax = argmax;
  if (hasNaN || !Number.isFinite(max)) {
    exps.fill(Number.NaN);
    stats.rest = Number.NaN;
    stats.sum = Number.NaN;
    stats.logSum = Number.NaN;
    stats.logSumExp = hasNaN ? Number.NaN : max;
    return;
  }
  let rest = 0;
  for (let c = 0; c < classes; c++) {
    const e = Math.exp((row[c] as number) - max);
    exps[c] = e;
    if (c !== argmax) rest += e;
  }
  stats.rest = rest;
  stats.sum = 1 + rest;
  stats.logSum = Math.log1p(rest);
  stats.logSumExp = max + stats.logSum;
}
