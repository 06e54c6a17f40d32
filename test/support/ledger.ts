// Every comparison of a run, as the worst error / bound of each quantity on each target: a test that only says "close"
// hides a slow drift.

import type { FloatDType } from '../../src/dtype.js';

export interface LedgerEntry {
  readonly target: string;
  readonly quantity: string;
  /** Worst error / bound; at most 1, or the check would have thrown. */
  readonly worst: number;
  /** Where that was. */
  readonly where: string;
  /** Numbers compared. */
  readonly count: number;
}

/** A place, or how to name it when it has to be named: naming each of a million elements would cost more than checking. */
export type Where = string | (() => string);

/** The numbers of a float type. */
interface Format {
  readonly largest: number;
  /** From here on a number rounds to Infinity. */
  readonly overflow: number;
  /** Half of the distance to the next number, which a result stored in 16 bits is off by besides its bound. */
  readonly halfUnit: (value: number) => number;
}

const FORMATS: { readonly [D in FloatDType]: Format } = {
  f32: { largest: 2 ** 128 - 2 ** 104, overflow: 2 ** 128 - 2 ** 103, halfUnit: () => 0 },
  f16: { largest: 65504, overflow: 65520, halfUnit: halfUnit(10, -14) },
  bf16: { largest: 2 ** 128 - 2 ** 120, overflow: 2 ** 128 - 2 ** 119, halfUnit: halfUnit(7, -126) },
};

/** Half of the distance between numbers of `dtype` at `value`. */
export function halfUnitOf(dtype: FloatDType, value: number): number {
  return FORMATS[dtype].halfUnit(value);
}

function halfUnit(fraction: number, least: number): (value: number) => number {
  return (value) => 2 ** (Math.max(least, Math.floor(Math.log2(Math.abs(value)))) - fraction - 1);
}

export class Ledger {
  readonly target: string;
  readonly #entries = new Map<string, { -readonly [K in keyof LedgerEntry]: LedgerEntry[K] }>();

  constructor(target: string) {
    this.target = target;
  }

  /**
   * Compares one result with the exact value.
   *
   * Throws if the error is above the bound, or if one is NaN and the other is not, or if an infinity is missing, made
   * up or of the wrong sign. An exact value that the type cannot hold counts as the infinity it rounds to; within the
   * bound of that limit both are right.
   *
   * @param dtype what the result was stored in; 16 bits may be off by half a unit more, and are noted apart
   */
  check(
    quantity: string,
    actual: number,
    expected: number,
    bound: number,
    where: Where,
    dtype: FloatDType = 'f32',
  ): void {
    const format = FORMATS[dtype];
    const allowed = bound + format.halfUnit(Math.abs(expected) + bound);
    const ratio = ratioOf(actual, expected, allowed, format);
    if (!(ratio <= 1)) {
      const error = Math.abs(actual - expected);
      throw new Error(
        `${this.target}: ${quantity} at ${nameOf(where)} is ${actual}, expected ${expected}` +
          (Number.isFinite(error)
            ? `: error ${error} = ${(error / allowed).toPrecision(3)} × bound ${allowed}`
            : ''),
      );
    }
    this.#note(this.target, dtype === 'f32' ? quantity : `${quantity}, ${dtype}`, ratio, where, 1);
  }

  /** `check` for each element of a tensor; `bound` and `where` get the index. */
  checkAll(
    quantity: string,
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
    bound: (i: number) => number,
    where: string,
    dtype: FloatDType = 'f32',
  ): void {
    if (actual.length !== expected.length) {
      throw new Error(
        `${this.target}: ${quantity} of ${where} holds ${actual.length} values, expected ${expected.length}`,
      );
    }
    for (let i = 0; i < expected.length; i++) {
      this.check(
        quantity,
        actual[i] as number,
        expected[i] as number,
        bound(i),
        () => `${where}[${i}]`,
        dtype,
      );
    }
  }

  /** Takes over what another ledger, or the JSON of one, has noted. */
  merge(other: Ledger | readonly LedgerEntry[]): void {
    for (const { target, quantity, worst, where, count } of other instanceof Ledger
      ? other.toJSON()
      : other) {
      this.#note(target, quantity, worst, where, count);
    }
  }

  toJSON(): LedgerEntry[] {
    return [...this.#entries.values()].map((entry) => ({ ...entry }));
  }

  /** One line a quantity and target: worst error / bound, how many numbers, where the worst was. */
  table(): string {
    const rows = this.toJSON()
      .sort((a, b) => compare(a.quantity, b.quantity) || compare(a.target, b.target))
      .map(({ quantity, target, worst, count, where }) => [
        quantity,
        target,
        worst.toFixed(3),
        String(count),
        where,
      ]);
    const lines = [['quantity', 'target', 'error / bound', 'compared', 'worst at'], ...rows];
    const widths = [0, 1, 2, 3].map((k) => Math.max(...lines.map((line) => (line[k] as string).length)));
    return lines
      .map((line) =>
        line
          .map((cell, k) =>
            k === 2 || k === 3 ? cell.padStart(widths[k] as number) : cell.padEnd(widths[k] ?? 0),
          )
          .join('  ')
          .trimEnd(),
      )
      .join('\n');
  }

  #note(target: string, quantity: string, ratio: number, where: Where, count: number): void {
    const key = `${target}\n${quantity}`;
    const entry = this.#entries.get(key);
    if (!entry) {
      this.#entries.set(key, { target, quantity, worst: ratio, where: nameOf(where), count });
      return;
    }
    entry.count += count;
    if (ratio > entry.worst) {
      entry.worst = ratio;
      entry.where = nameOf(where);
    }
  }
}

/** Error over bound; Infinity where no bound excuses the difference. */
function ratioOf(actual: number, expected: number, bound: number, { largest, overflow }: Format): number {
  if (Number.isNaN(expected)) return Number.isNaN(actual) ? 0 : Number.POSITIVE_INFINITY;
  if (Object.is(actual, expected) || actual === expected) return 0;
  const magnitude = Math.abs(expected);
  if (!Number.isFinite(actual)) {
    const overflows = Math.sign(actual) === Math.sign(expected) && magnitude + bound >= overflow;
    return !Number.isNaN(actual) && overflows ? 0 : Number.POSITIVE_INFINITY;
  }
  if (magnitude > largest) {
    // The number nearest to it may be the largest there is.
    return magnitude - bound <= largest ? Math.abs(actual - expected) / bound : Number.POSITIVE_INFINITY;
  }
  return Math.abs(actual - expected) / bound;
}

function nameOf(where: Where): string {
  return typeof where === 'string' ? where : where();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
