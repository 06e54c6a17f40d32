// The functions of shaders/arithmetic/reproducible.wgsl and shaders/lib/exp-log.wgsl in JavaScript: float32 arithmetic to the bit.
// + - * / of two float32 numbers in float64, rounded once more, are the float32 results: float64 has more than twice the digits.

const { fround } = Math;

/** Smaller numbers are 0. */
const SMALLEST = 2 ** -125;

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);

export const BITS_INF = 0x7f800000;
export const BITS_NEG_INF = 0xff800000;
export const BITS_NAN = 0x7fc00000;
export const BITS_ABS = 0x7fffffff;
export const BITS_SIGN = 0x80000000;
const FLUSHED_BELOW = 0x01000000;

export function bitsOf(x: number): number {
  floats[0] = x;
  return words[0] as number;
}

export function floatOf(u: number): number {
  words[0] = u;
  return floats[0] as number;
}

/** The result of one + - * or /. */
export function keep(x: number): number {
  const y = fround(x);
  return y < SMALLEST && y > -SMALLEST ? 0 : y;
}

/** The same as bits that go into a result: there is only one NaN. */
export function keepBits(x: number): number {
  const y = keep(x);
  return Number.isNaN(y) ? BITS_NAN : bitsOf(y);
}

/** Of the bits of a number that enters the arithmetic: subnormals and -0 are 0. */
export function flushed(u: number): number {
  return (u & BITS_ABS) < FLUSHED_BELOW ? 0 : u;
}

/** a / b for finite a and b, b not 0. */
export function quotient(a: number, b: number): number {
  return keep(a / b);
}

/** ((a + b) + (c + d)). */
export function sum4(a: number, b: number, c: number, d: number): number {
  return keep(keep(a + b) + keep(c + d));
}

const LOG2_E = fround(Math.LOG2E);
const ROUNDER = 1.5 * 2 ** 23;
const LN_2_HIGH = 0.693145751953125;
const LN_2_LOW = fround(1.428606820309417e-6);
const EXP_6 = fround(1.98756915e-4);
const EXP_5 = fround(1.3981999507e-3);
const EXP_4 = fround(8.3334519073e-3);
const EXP_3 = fround(4.1665795894e-2);
const EXP_2 = fround(1.6666665459e-1);

/** exp(d) for d from -87.3 up. */
export function expGap(d: number): number {
  const x = d > 89 ? 89 : d;
  const shifted = keep(keep(x * LOG2_E) + ROUNDER);
  const n = keep(shifted - ROUNDER);
  const r = keep(keep(x - keep(n * LN_2_HIGH)) - keep(n * LN_2_LOW));
  let q = keep(keep(r * EXP_6) + EXP_5);
  q = keep(keep(q * r) + EXP_4);
  q = keep(keep(q * r) + EXP_3);
  q = keep(keep(q * r) + EXP_2);
  q = keep(keep(q * r) + 0.5);
  const y = keep(keep(keep(q * keep(r * r)) + r) + 1);
  const u = bitsOf(y) + n * 2 ** 23;
  return u < FLUSHED_BELOW ? 0 : floatOf(Math.min(u, BITS_INF));
}

// biome-ignore lint/suspicious/noApproximativeNumericConstant: the kernels' own digits.
const SQRT_2 = fround(1.4142135);
const ATANH_3 = fround(0.33333334);
const ATANH_5 = fround(0.2);
const ATANH_7 = fround(0.14285715);
const ATANH_9 = fround(0.11111111);
const ATANH_11 = fround(0.09090909);

/** log(1 + r), r finite and at least 0. */
export function logOnePlus(r: number): number {
  if (r < 0.5) return twiceAtanh(quotient(r, keep(2 + r)));
  const y = bitsOf(keep(1 + r));
  const mantissa = floatOf((y & 0x7fffff) | 0x3f800000);
  const large = mantissa > SQRT_2;
  const m = large ? 0.5 * mantissa : mantissa;
  const e = (y >>> 23) - 127 + (large ? 1 : 0);
  const part = twiceAtanh(quotient(keep(m - 1), keep(m + 1)));
  return keep(keep(e * LN_2_HIGH) + keep(keep(e * LN_2_LOW) + part));
}

function twiceAtanh(s: number): number {
  const z = keep(s * s);
  const inner = keep(ATANH_7 + keep(z * keep(ATANH_9 + keep(z * ATANH_11))));
  const tail = keep(z * keep(ATANH_3 + keep(z * keep(ATANH_5 + keep(z * inner)))));
  return keep(2 * s + keep(2 * s * tail));
}
