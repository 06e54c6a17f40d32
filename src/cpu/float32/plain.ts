// The work on rows in JavaScript: where WebAssembly is not to be had.
import type { Layout } from '../../shape.js';
import type { CpuArray } from '../../spec.js';
import { expRow, expSum, STEPS } from './exp.js';
import { gatherRows, type RowBlock, type RowMachine, rowsOfBlock, scatterRows } from './rows.js';

/** Logits of a row that are looked at for a shift that is good enough. */
const SAMPLE = 8;

/** Rows one behind the other in `x`; what is written goes to the same elements of `out`, which may be `x`. */
export class PlainBlock implements RowBlock {
  first = 0;
  rows = 0;
  /** The first element. */
  at = 0;
  readonly x: Float32Array;
  readonly out: Float32Array;
  readonly classes: number;
  readonly facts: Float64Array;

  constructor(x: Float32Array, out: Float32Array, classes: number, facts: Float64Array) {
    this.x = x;
    this.out = out;
    this.classes = classes;
    this.facts = facts;
  }

  /**
   * Any shift gives the same probabilities as long as nothing overflows, so the maximum of a few logits stands for that of the row: one
   * reading of it less. Where it does not do, the maximum is looked for; so `out` must not be `x`.
   */
  softmax(temperature: number): void {
    const { x, out, classes, facts } = this;
    const scale = STEPS / temperature;
    for (let k = 0, at = this.at; k < this.rows; k++, at += classes) {
      const to = at + classes;
      const shift = x[peak(x, at, Math.min(to, at + SAMPLE))] ?? Number.NaN;
      let sum = expRow(x, at, to, shift, scale, out);
      if (!Number.isFinite(sum)) {
        const max = x[peak(x, at, to)] ?? Number.NaN;
        sum = expRow(x, at, to, max, scale, out);
      }
      facts[2 * k] = 1 / sum;
    }
    this.scale();
  }

  measure(temperature: number, keep: boolean): void {
    const { x, out, classes, facts } = this;
    const scale = STEPS / temperature;
    for (let k = 0, at = this.at; k < this.rows; k++, at += classes) {
      const to = at + classes;
      const argmax = peak(x, at, to);
      const max = argmax < 0 ? Number.NEGATIVE_INFINITY : (x[argmax] as number);
      if (!Number.isFinite(max)) {
        facts[2 * k] = x.subarray(at, to).some(Number.isNaN) ? Number.NaN : max;
        facts[2 * k + 1] = Number.NaN;
        if (keep) out.fill(Number.NaN, at, to);
        continue;
      }
      facts[2 * k] = max;
      if (keep) {
        facts[2 * k + 1] =
          expRow(x, at, argmax, max, scale, out) + expRow(x, argmax + 1, to, max, scale, out);
        out[argmax] = 1;
      } else {
        facts[2 * k + 1] = expSum(x, at, argmax, max, scale) + expSum(x, argmax + 1, to, max, scale);
      }
    }
  }

  scale(): void {
    for (let k = 0, at = this.at; k < this.rows; k++, at += this.classes) {
      scaleRow(this.out, at, at + this.classes, this.facts[2 * k] as number);
    }
  }

  shift(temperature: number): void {
    const { x, out, classes, facts } = this;
    const factor = 1 / temperature;
    for (let k = 0, at = this.at; k < this.rows; k++, at += classes) {
      const max = facts[2 * k] as number;
      const log = facts[2 * k + 1] as number;
      for (let i = at; i < at + classes; i++) out[i] = ((x[i] as number) - max) * factor - log;
    }
  }
}

/**
 * Does `work` for all rows in blocks.
 *
 * @param lying whether the arrays of `block` are `logits` and `out` themselves; otherwise rows are copied into them and back
 */
export function workThrough(
  block: PlainBlock,
  lying: boolean,
  layout: Layout,
  logits: CpuArray,
  out: CpuArray | undefined,
  work: (block: RowBlock) => void,
): void {
  const { rows, classes } = layout;
  const most = rowsOfBlock(classes);
  for (let first = 0; first < rows; first += most) {
    block.first = first;
    block.rows = Math.min(most, rows - first);
    if (lying) block.at = first * classes;
    else gatherRows(layout, logits, first, block.rows, block.x);
    work(block);
    if (!lying && out) scatterRows(layout, block.out, first, block.rows, out);
  }
}

const NONE: Float32Array = /* @__PURE__ */ new Float32Array(0);

/** Takes rows where they lie, if it can. */
export const plain: RowMachine = {
  language: 'JavaScript',
  eachBlock(layout, logits, out = NONE, work) {
    const { classes, inner } = layout;
    const most = rowsOfBlock(classes);
    const lying =
      inner === 1 &&
      logits instanceof Float32Array &&
      out instanceof Float32Array &&
      out.buffer !== logits.buffer;
    const room = (): Float32Array => new Float32Array(most * classes);
    const block = new PlainBlock(
      lying ? logits : room(),
      lying ? out : out === NONE ? NONE : room(),
      classes,
      new Float64Array(2 * most),
    );
    workThrough(block, lying, layout, logits, out === NONE ? undefined : out, work);
  },
};

/** The place of the first maximum among elements `from` to `to`, NaN apart; -1 if nothing there is above -Infinity. */
function peak(x: Float32Array, from: number, to: number): number {
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

/** Multiplies elements `at` to `to` by `factor`. */
export function scaleRow(out: Float32Array, at: number, to: number, factor: number): void {
  let i = at;
  for (; (to - i) & 3; i++) out[i] = flushed((out[i] as number) * factor);
  for (; i < to; i += 4) {
    out[i] = flushed((out[i] as number) * factor);
    out[i + 1] = flushed((out[i + 1] as number) * factor);
    out[i + 2] = flushed((out[i + 2] as number) * factor);
    out[i + 3] = flushed((out[i + 3] as number) * factor);
  }
}

/** What would be subnormal in float32 is 0: processors take dozens of times as long to round to such a number. */
function flushed(value: number): number {
  return Math.abs(value) < 1.1754943508222875e-38 ? 0 : value;
}
