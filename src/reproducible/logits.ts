// The functions of shaders/lib/logits.wgsl in JavaScript.
import { isNan } from './bits.js';
import {
  BITS_ABS,
  BITS_NAN,
  BITS_NEG_INF,
  BITS_SIGN,
  expGap,
  floatOf,
  flushed,
  keep,
  keepBits,
  quotient,
} from './float.js';
import type { Accessor, Kernel } from './kernel.js';

const SATURATED = 43;
const LARGEST = 0x7f7fffff;

/** The logits as the softmax takes them, with a soft cap if there is one. */
export class Logits {
  private readonly kernel: Kernel;
  private readonly role: Accessor;
  private readonly limit: number;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.role = kernel.role('logits');
    this.limit = quotient(SATURATED, kernel.numbers.uncap);
  }

  raw(row: number, c: number): number {
    return flushed(this.role.load(row, c));
  }

  at(row: number, c: number): number {
    return this.capped(this.raw(row, c), c);
  }

  /** Of a class that the row has. */
  pick(row: number, c: number): number {
    return this.capped(flushed(this.role.pick(row, c)), c);
  }

  capped(x: number, c: number): number {
    if (!this.kernel.flags.SOFTCAP) return x;
    return c < this.kernel.classes ? this.softCap(x) : BITS_NEG_INF;
  }

  /** Derivative of the soft cap without the temperature; 1 without one. */
  slope(x: number): number {
    if (!this.kernel.flags.SOFTCAP) return 1;
    const a = this.argument(x);
    if (a >= SATURATED) return 0;
    const e = expGap(-2 * a);
    const onePlus = keep(1 + e);
    return quotient(4 * e, keep(onePlus * onePlus));
  }

  private argument(x: number): number {
    const size = floatOf(Math.min(x & BITS_ABS, LARGEST));
    return size >= this.limit ? SATURATED : keep(size * this.kernel.numbers.uncap);
  }

  private softCap(x: number): number {
    if (isNan(x)) return BITS_NAN;
    const a = this.argument(x);
    const bits = keepBits(this.kernel.numbers.cap * tanh(a));
    return (bits | (x & BITS_SIGN)) >>> 0;
  }
}

function tanh(a: number): number {
  if (a < 0.625) {
    const z = keep(a * a);
    const over = keep(a * keep(945 + keep(z * keep(105 + z))));
    const under = keep(945 + keep(z * keep(420 + keep(z * 15))));
    return quotient(over, under);
  }
  const e = expGap(-2 * a);
  return quotient(keep(1 - e), keep(1 + e));
}
