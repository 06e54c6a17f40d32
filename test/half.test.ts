import { describe, expect, test } from 'vitest';
import { decodeHalf, encodeHalf } from '../src/half.js';

const FORMATS = {
  f16: { fraction: 10, bias: 15, infinity: 0x7c00 },
  bf16: { fraction: 7, bias: 127, infinity: 0x7f80 },
} as const;

/** The definition of IEEE 754: sign, biased exponent, fraction. */
function exactly(bits: number, { fraction, bias, infinity }: (typeof FORMATS)['f16' | 'bf16']): number {
  const sign = bits >= 0x8000 ? -1 : 1;
  const size = bits % 0x8000;
  if (size >= infinity) return size === infinity ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const exponent = Math.floor(size / 2 ** fraction);
  const rest = size % 2 ** fraction;
  const significand = exponent === 0 ? rest : rest + 2 ** fraction;
  return sign * significand * 2 ** (Math.max(exponent, 1) - bias - fraction);
}

describe.each(['f16', 'bf16'] as const)('%s', (dtype) => {
  const format = FORMATS[dtype];
  const all = Uint16Array.from({ length: 0x10000 }, (_, i) => i);
  const encode = (x: number): number => encodeHalf(dtype, [x])[0] as number;

  test('all patterns stand for what the standard says', () => {
    const decoded = decodeHalf(dtype, all);
    expect(Array.from(decoded)).toEqual(Array.from(all, (bits) => exactly(bits, format)));
  });

  test('numbers come back as they went', () => {
    const numbers = all.filter((bits) => bits % 0x8000 <= format.infinity);
    expect(encodeHalf(dtype, decodeHalf(dtype, numbers))).toEqual(numbers);
    expect(decodeHalf(dtype, Uint16Array.of(encode(Number.NaN)))).toEqual(Float32Array.of(Number.NaN));
  });

  test('between two numbers the nearer one is taken, in the middle the even one, from float64 at once', () => {
    for (let bits = 0; bits < format.infinity; bits++) {
      const low = exactly(bits, format);
      // Behind the largest number, as if there were a next one.
      const high =
        bits + 1 < format.infinity ? exactly(bits + 1, format) : low + (low - exactly(bits - 1, format));
      const middle = (low + high) / 2;
      // Below the resolution of a float32: rounding in two steps would take these for the middle.
      const little = middle * 2 ** -50;
      for (const sign of [0, 0x8000]) {
        const x = (value: number): number => (sign === 0 ? encode(value) : encode(-value));
        expect([x(middle - little), x(middle), x(middle + little)]).toEqual([
          sign + bits,
          sign + bits + (bits % 2),
          sign + bits + 1,
        ]);
      }
    }
  });

  test('what is too large is infinite, what is too small 0, with its sign', () => {
    expect([Number.MAX_VALUE, -Number.MAX_VALUE, Number.NEGATIVE_INFINITY].map(encode)).toEqual([
      format.infinity,
      0x8000 + format.infinity,
      0x8000 + format.infinity,
    ]);
    expect([Number.MIN_VALUE, -Number.MIN_VALUE, -0].map(encode)).toEqual([0, 0x8000, 0x8000]);
  });
});
