// The functions of shaders/lib/softmax.wgsl in JavaScript: the running softmax of a row.
import { KEY_INF, KEY_NEG_INF, keyBits, keyIsFinite, keyValue, orderKey } from './bits.js';
import {
  BITS_INF,
  BITS_NAN,
  BITS_NEG_INF,
  bitsOf,
  expGap,
  floatOf,
  keep,
  keepBits,
  logOnePlus,
  quotient,
  sum4,
} from './float.js';
import type { Accessor, Kernel } from './kernel.js';

export interface Softmax {
  /** Key of the maximum so far. */
  top: number;
  ties: number;
  rest: number;
}

export interface Distribution {
  readonly top: number;
  readonly logSum: number;
  readonly inverse: number;
}

/** Below this distance from the maximum a term is less than 2^-125. */
export const REACH: number = Math.fround(87.3);

/** Logits that are taken in at a time: four for each of four steps. */
export const BLOCK = 16;

export class Softmaxes {
  private readonly tempers: boolean;
  private readonly gapScale: number;
  private readonly terms = new Float64Array(BLOCK);

  constructor({ flags, numbers }: Kernel) {
    this.tempers = flags.TEMPERED;
    this.gapScale = numbers.gapScale;
  }

  zero(): Softmax {
    return { top: KEY_NEG_INF, ties: 0, rest: 0 };
  }

  /** (x - top) / T, what goes into exp. */
  gap(x: number, top: number): number {
    if (!this.tempers) return keep(x - top);
    return keep(2 * keep(keep(keep(0.5 * x) - keep(0.5 * top)) * this.gapScale));
  }

  tempered(gap: number): number {
    return this.tempers ? keep(gap * this.gapScale) : gap;
  }

  shrink(low: number, top: number): number {
    return this.power(this.gap(keyValue(low), keyValue(top)));
  }

  /** exp of a gap, where it counts. */
  power(gap: number): number {
    return gap >= -REACH ? expGap(gap) : 0;
  }

  /** Takes in sixteen logits, as bits. Returns the old maximum's key. */
  absorb(s: Softmax, x: Uint32Array): number {
    const { terms } = this;
    const before = s.top;
    let top = before;
    for (let i = 0; i < BLOCK; i++) top = Math.max(top, orderKey(x[i] as number));
    if (top > before) {
      s.rest = keep(keep(s.rest + s.ties) * this.shrink(before, top));
      s.ties = 0;
      s.top = top;
    }
    const peak = keyValue(top);
    let ties = 0;
    for (let i = 0; i < BLOCK; i++) {
      const gap = this.gap(floatOf(x[i] as number), peak);
      if (gap === 0) ties += 1;
      terms[i] = gap === 0 ? 0 : this.power(gap);
    }
    s.rest = keep(s.rest + sumSteps(terms));
    s.ties = keep(s.ties + ties);
    return before;
  }

  /** Into `a`. */
  merge(a: Softmax, b: Softmax): void {
    const aLeads = a.top >= b.top;
    const [high, low] = aLeads ? [a, b] : [b, a];
    const { top } = high;
    if (high.top === low.top) {
      a.ties = keep(high.ties + low.ties);
      a.rest = keep(high.rest + low.rest);
      return;
    }
    const shrunk = keep(keep(low.rest + low.ties) * this.shrink(low.top, top));
    const { ties, rest } = high;
    a.top = top;
    a.ties = ties;
    a.rest = keep(rest + shrunk);
  }

  finish(s: Softmax): Distribution {
    if (!keyIsFinite(s.top)) return { top: s.top, logSum: 0, inverse: 0 };
    const above = this.above(s);
    return { top: s.top, logSum: logOnePlus(above), inverse: quotient(1, keep(1 + above)) };
  }

  /** S - 1. */
  above(s: Softmax): number {
    return keep(keep(s.ties - 1) + s.rest);
  }

  /** Log-sum-exp as bits. */
  lse(d: Distribution): number {
    if (keyIsFinite(d.top)) return keepBits(this.tempered(keyValue(d.top)) + d.logSum);
    if (d.top > KEY_INF) return BITS_NAN;
    return keyBits(d.top);
  }

  /** p_j of the bits of x_j. */
  p(d: Distribution, x: number): number {
    return keep(this.power(this.gap(floatOf(x), keyValue(d.top))) * d.inverse);
  }

  /** -log p_j / 2 as bits. */
  halfNll(d: Distribution, x: number): number {
    if (x === BITS_NEG_INF) return BITS_INF;
    const halfGap = keep(keep(0.5 * keyValue(d.top)) - keep(0.5 * floatOf(x)));
    return keepBits(keep(0.5 * d.logSum) + this.tempered(halfGap));
  }
}

/** The sum of four steps of four, lane by lane first. */
export function sumSteps(v: ArrayLike<number>): number {
  return sum4(sumLane(v, 0), sumLane(v, 1), sumLane(v, 2), sumLane(v, 3));
}

function sumLane(v: ArrayLike<number>, i: number): number {
  return sum4(v[i] as number, v[i + 4] as number, v[i + 8] as number, v[i + 12] as number);
}

/** The sum of four steps of four, step by step first. */
export function sumLanes(v: ArrayLike<number>): number {
  return sum4(sumStep(v, 0), sumStep(v, 4), sumStep(v, 8), sumStep(v, 12));
}

function sumStep(v: ArrayLike<number>, i: number): number {
  return sum4(v[i] as number, v[i + 1] as number, v[i + 2] as number, v[i + 3] as number);
}

export function distributionStore(handover: Accessor, at: number, d: Distribution): void {
  handover.put(at, d.top >>> 0);
  handover.put(at + 1, bitsOf(d.logSum));
  handover.put(at + 2, bitsOf(d.inverse));
}

export function distributionLoad(handover: Accessor, at: number): Distribution {
  return {
    top: handover.get(at) | 0,
    logSum: floatOf(handover.get(at + 1)),
    inverse: floatOf(handover.get(at + 2)),
  };
}
