import type { Layout } from '../../shape.js';
import type { CpuArray } from '../../spec.js';
import { rowStart } from '../row.js';

/** Elements in a block, so that it stays in a processor's nearest caches; a row is never cut. */
const BLOCK = 8192;
export const MOST_ROWS = 1024;

/**
 * Rows that are worked on together. Of each there are two facts, which one step leaves to the next: row `first + k` has `facts[2 * k]` and
 * `facts[2 * k + 1]`.
 */
export interface RowBlock {
  readonly first: number;
  readonly rows: number;
  readonly facts: Float64Array;
  /** What is written: row `first + k` from element `at + k * classes` on. */
  readonly out: Float32Array;
  readonly at: number;
  /** Writes the softmax of the logits divided by the temperature. The facts have no meaning then. */
  softmax(temperature: number): void;
  /**
   * Facts: the maximum of the row, before the division by the temperature, and the sum of exp((x - maximum) / temperature) over all classes
   * but one that has the maximum. Without a softmax the second is NaN; and the first is NaN unless it is the log-sum-exp, or finite.
   *
   * @param keep to write the exps, as results or for `scale`
   */
  measure(temperature: number, keep: boolean): void;
  /** Multiplies what `measure` wrote by the first fact. What would be subnormal in float32 is 0. */
  scale(): void;
  /** Writes (x - first fact) / temperature - second fact. */
  shift(temperature: number): void;
}

/** What works on rows of float32 logits. */
export interface RowMachine {
  /** What it is written in. */
  readonly language: string;
  /**
   * Does `work` for all rows, block after block.
   *
   * @param out what is written for each element goes there, if anywhere, as soon as `work` has returned and not before where it is the
   *   logits themselves: until then the logits of the block can be read
   */
  eachBlock(
    layout: Layout,
    logits: CpuArray,
    out: CpuArray | undefined,
    work: (block: RowBlock) => void,
  ): void;
}

/** Rows of a block. */
export function rowsOfBlock(classes: number): number {
  return Math.max(1, Math.min(MOST_ROWS, Math.floor(BLOCK / classes)));
}

/** Copies `rows` rows from row `first` on to `to`, one behind the other. */
export function gatherRows(
  layout: Layout,
  logits: CpuArray,
  first: number,
  rows: number,
  to: Float32Array,
): void {
  const { classes, inner } = layout;
  if (inner === 1) {
    to.set(logits.subarray(first * classes, (first + rows) * classes));
    return;
  }
  for (let r = first, k = 0; r < first + rows; r++) {
    const start = rowStart(layout, r);
    for (let c = 0, i = start; c < classes; c++, i += inner) to[k++] = logits[i] as number;
  }
}

/** The reverse of `gatherRows`. */
export function scatterRows(
  layout: Layout,
  from: Float32Array,
  first: number,
  rows: number,
  out: CpuArray,
): void {
  const { classes, inner } = layout;
  if (inner === 1) {
    out.set(from.subarray(0, rows * classes), first * classes);
    return;
  }
  for (let r = first, k = 0; r < first + rows; r++) {
    const start = rowStart(layout, r);
    for (let c = 0, i = start; c < classes; c++, i += inner) out[i] = from[k++] as number;
  }
}
