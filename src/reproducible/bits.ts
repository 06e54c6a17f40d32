// The functions of shaders/lib/bits.wgsl in JavaScript: floats as bit patterns, in numbers from 0 to 2^32 - 1.
import {
  BITS_ABS,
  BITS_INF,
  BITS_NAN,
  BITS_NEG_INF,
  BITS_SIGN,
  bitsOf,
  floatOf,
  flushed,
  keepBits,
  quotient,
} from './float.js';

// Keys order floats as integers: -Inf < finite < +Inf < NaN.
export const KEY_NEG_INF = -2139095041;
export const KEY_INF = 0x7f800000;
const KEY_NAN = 0x7fffffff;

export function isNan(u: number): boolean {
  return (u & BITS_ABS) > BITS_INF;
}

export function isInf(u: number): boolean {
  return (u & BITS_ABS) === BITS_INF;
}

export function isSpecial(u: number): boolean {
  return (u & BITS_ABS) >= BITS_INF;
}

export function negated(u: number): number {
  return (u ^ BITS_SIGN) >>> 0;
}

export function orderKey(u: number): number {
  return isNan(u) ? KEY_NAN : (u | 0) ^ ((u >> 31) & BITS_ABS);
}

export function keyBits(key: number): number {
  return (key ^ ((key >> 31) & BITS_ABS)) >>> 0;
}

export function keyValue(key: number): number {
  return floatOf(keyBits(key));
}

export function keyIsFinite(key: number): boolean {
  return key > KEY_NEG_INF && key < KEY_INF;
}

export function ieeeMul(a: number, b: number): number {
  if (isSpecial(a) || isSpecial(b)) {
    const zero = (a & BITS_ABS) === 0 || (b & BITS_ABS) === 0;
    if (isNan(a) || isNan(b) || zero) return BITS_NAN;
    return (BITS_INF | ((a ^ b) & BITS_SIGN)) >>> 0;
  }
  return keepBits(floatOf(flushed(a)) * floatOf(flushed(b)));
}

export function ieeeSub(a: number, b: number): number {
  if (isSpecial(a) || isSpecial(b)) {
    if (isNan(a) || isNan(b) || (isInf(a) && a === b)) return BITS_NAN;
    return isInf(a) ? a : negated(b);
  }
  return keepBits(floatOf(flushed(a)) - floatOf(flushed(b)));
}

export function ieeeAdd(a: number, b: number): number {
  return ieeeSub(a, negated(b));
}

export function ieeeDiv(dividend: number, divisor: number): number {
  const a = flushed(dividend);
  const b = flushed(divisor);
  const zero = b === 0;
  if (isSpecial(a) || isSpecial(b) || zero) {
    const sign = ((a ^ b) & BITS_SIGN) >>> 0;
    if (isNan(a) || isNan(b) || (isInf(a) && isInf(b)) || (a === 0 && zero)) return BITS_NAN;
    return isInf(b) ? sign : (BITS_INF | sign) >>> 0;
  }
  return bitsOf(quotient(floatOf(a), floatOf(b)));
}

/** 2 h for the bits of h. */
export function twice(h: number): number {
  if ((h & BITS_ABS) < 0x7f000000) return keepBits(2 * floatOf(h));
  return isNan(h) ? BITS_NAN : (BITS_INF | (h & BITS_SIGN)) >>> 0;
}

const MET_NAN = 1;
const MET_INF = 2;
const MET_NEG_INF = 4;

/** What a sum met that floats cannot carry reliably. */
export function met(u: number): number {
  if (isNan(u)) return MET_NAN;
  if (!isInf(u)) return 0;
  return u >>> 31 === 1 ? MET_NEG_INF : MET_INF;
}

/** The bits of a sum whose finite part is `sum` and which met `flags`. */
export function sumBits(sum: number, flags: number): number {
  if (flags === 0) return keepBits(sum);
  if (flags === MET_INF) return BITS_INF;
  return flags === MET_NEG_INF ? BITS_NEG_INF : BITS_NAN;
}
