import { InvalidArgumentError } from '../errors.js';
import { rowShape } from '../shape.js';
import { checkedLayout, checkLength } from './check.js';
import { meanGap } from './entropy.js';
import { checkIndices } from './nllLoss.js';
import { measureRow, newRowStats, readRow } from './row.js';
import type { AxisOptions } from './softmax.js';

/** Options of `logitStats`. */
export interface LogitStatsOptions extends AxisOptions {
  /** How many of a row's largest logits to list: a whole number from 1 to the number of classes. Default: none. */
  readonly topK?: number | undefined;
}

/** One value a row each. */
export interface LogitStatsResult {
  /** In nats. */
  readonly logSumExp: Float64Array;
  /** Of the softmax, in nats. */
  readonly entropy: Float64Array;
  /** The first class that holds the row's largest logit; -1 if the row holds a NaN. */
  readonly argmax: Int32Array;
  /** `log softmax` of the target's logit, in nats. */
  readonly targetLogProb?: Float64Array;
  /** Number of classes ahead of the target: 0 if it is the argmax. -1 if the row holds a NaN. */
  readonly targetRank?: Int32Array;
  /** The row's largest logits and their classes, `[rows, topK]`, largest first. NaN and -1 if the row holds a NaN. */
  readonly topK?: {
    /** The logits. */
    readonly values: Float64Array;
    /** Their classes. */
    readonly indices: Int32Array;
  };
  /** The first row whose target is not in `[0, classes)`. */
  readonly outOfRange?: {
    /** Counted from 0 over all rows. */
    readonly row: number;
    /** The index found there. */
    readonly value: number;
  };
}

/**
 * What an evaluation asks of each row of logits: log-sum-exp, entropy, argmax, the target's log-probability and rank, and
 * the largest logits, in float64.
 *
 * Classes are ranked by their logits, largest first, and equal logits (0 and -0 are equal) by class, smallest first.
 * Infinities are ranked like other numbers, also where the row has no softmax; a row with a NaN has no order, and every
 * index of it is -1. `logSumExp` and `entropy` of special rows are those of the functions of that name, and
 * `targetLogProb` that of `logSoftmax`. A target out of range has the log-probability NaN and the rank -1, and is named in
 * `outOfRange`.
 *
 * @param logits dense, row-major values of `shape`
 * @param targets one class index a row, if the target's log-probability and rank are wanted
 * @throws InvalidArgumentError if an array does not fit `shape`, or an option is not usable
 */
export function logitStats(
  logits: ArrayLike<number>,
  targets: Int32Array | Uint32Array | undefined,
  shape: readonly number[],
  options: LogitStatsOptions = {},
): LogitStatsResult {
  const op = 'logitStats';
  const layout = checkedLayout(op, shape, options.axis);
  const { rows, classes } = layout;
  checkLength(op, 'logits', logits, shape);
  if (targets !== undefined) checkIndices(op, targets, rowShape(layout));
  const { topK } = options;
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1 && topK <= classes)) {
    throw new InvalidArgumentError(
      `${op}: topK must be a whole number from 1 to the number of classes, ${classes}; got ${topK}.`,
      { op, shapes: { logits: shape } },
    );
  }

  const logSumExp = new Float64Array(rows);
  const entropy = new Float64Array(rows);
  const argmax = new Int32Array(rows);
  const targetLogProb = targets && new Float64Array(rows);
  const targetRank = targets && new Int32Array(rows);
  const values = topK === undefined ? undefined : new Float64Array(rows * topK);
  const indices = topK === undefined ? undefined : new Int32Array(rows * topK);
  let outOfRange: LogitStatsResult['outOfRange'];
  const row = new Float64Array(classes);
  const exps = new Float64Array(classes);
  const stats = newRowStats();

  for (let r = 0; r < rows; r++) {
    readRow(logits, layout, r, row);
    measureRow(row, exps, stats);
    const { max, logSum } = stats;
    const ranked = !Number.isNaN(stats.logSumExp);
    logSumExp[r] = stats.logSumExp;
    entropy[r] = logSum + meanGap(row, exps, stats);
    // Nothing but -Infinity: all are equal, and the first is first.
    argmax[r] = ranked ? Math.max(stats.argmax, 0) : -1;
    if (targets && targetLogProb && targetRank) {
      const target = targets[r] as number;
      const inRange = target >= 0 && target < classes;
      if (!inRange) outOfRange ??= { row: r, value: target };
      targetLogProb[r] = inRange ? (row[target] as number) - max - logSum : Number.NaN;
      targetRank[r] = inRange && ranked ? rankOf(row, target) : -1;
    }
    if (topK !== undefined && values && indices) {
      const from = r * topK;
      if (ranked) {
        selectTop(row, values.subarray(from, from + topK), indices.subarray(from, from + topK));
      } else {
        values.fill(Number.NaN, from, from + topK);
        indices.fill(-1, from, from + topK);
      }
    }
  }
  return {
    logSumExp,
    entropy,
    argmax,
    ...(targetLogProb && { targetLogProb }),
    ...(targetRank && { targetRank }),
    ...(values && indices && { topK: { values, indices } }),
    ...(outOfRange && { outOfRange }),
  };
}

/** How many classes come before `target`. */
function rankOf(row: Float64Array, target: number): number {
  const x = row[target] as number;
  let rank = 0;
  for (let c = 0; c < row.length; c++) {
    const other = row[c] as number;
    if (other > x || (other === x && c < target)) rank++;
  }
  return rank;
}

/** Writes the largest of `row`, in order, to `values`, and their classes to `indices`. */
function selectTop(row: Float64Array, values: Float64Array, indices: Int32Array): void {
  const size = values.length;
  let count = 0;
  for (let c = 0; c < row.length; c++) {
    const x = row[c] as number;
    if (count === size && !(x > (values[size - 1] as number))) continue;
    // Behind all that are at least as large: those have smaller classes.
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[middle] as number) >= x) low = middle + 1;
      else high = middle;
    }
    if (count < size) count++;
    values.copyWithin(low + 1, low, count - 1);
    indices.copyWithin(low + 1, low, count - 1);
    values[low] = x;
    indices[low] = c;
  }
}
