import { build } from 'vite';
import { describe, expect, test } from 'vitest';
import { wat } from '../../scripts/wat.js';
import * as bits from '../../src/reproducible/bits.js';
import { expGap, flushed, keep, keepBits, logOnePlus, quotient } from '../../src/reproducible/float.js';
import { random } from '../conformance/data.js';

/** Half a unit in the last place on each side is what rounding alone makes. */
function ulps(actual: number, exact: number): number {
  return Math.abs(actual - exact) / 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 23);
}

/** Worst error in ULP over `count` arguments. */
function worst(
  count: number,
  argument: (i: number) => number,
  own: (x: number) => number,
  exact: (x: number) => number,
): number {
  let most = 0;
  for (let i = 0; i < count; i++) {
    const x = Math.fround(argument(i));
    most = Math.max(most, ulps(own(x), exact(x)));
  }
  return most;
}

describe('exp and log in float32', () => {
  test('exp from -86 to 0 is off by at most 1 ULP', () => {
    const error = worst(500_000, (i) => (-86 * i) / 500_000, expGap, Math.exp);
    expect(error).toBeLessThanOrEqual(1);
    expect(error).toBeGreaterThan(0.5);
  });

  test('log(1 + r) is off by at most 2.5 ULP, small r and large', () => {
    const error = worst(500_000, (i) => 2 ** (-40 + (60 * i) / 500_000), logOnePlus, Math.log1p);
    expect(error).toBeLessThanOrEqual(2.5);
    expect(error).toBeGreaterThan(0.5);
  });

  test('at the ends', () => {
    expect(expGap(0)).toBe(1);
    expect(expGap(Math.fround(-87.3))).toBe(0);
    expect(expGap(88.8)).toBe(Number.POSITIVE_INFINITY);
    expect(expGap(88.7)).toBeLessThan(2 ** 128);
    expect(logOnePlus(0)).toBe(0);
  });
});

describe('what differs between devices does not here', () => {
  test('below 2^-125 there is only one number, +0', () => {
    for (const tiny of [0, -0, 2 ** -126, -(2 ** -126), 2 ** -149, 2 ** -125 * (1 - 2 ** -24)]) {
      expect(keep(tiny)).toBe(0);
      expect(keepBits(tiny)).toBe(0);
    }
    expect(keep(2 ** -125)).toBe(2 ** -125);
    expect([0x80000000, 0x00ffffff, 0x80000001].map(flushed)).toEqual([0, 0, 0]);
    expect([0x01000000, 0xffc00001].map(flushed)).toEqual([0x01000000, 0xffc00001]);
  });

  test('there is only one NaN', () => {
    expect(keepBits(Number.NaN)).toBe(0x7fc00000);
    expect(bits.ieeeMul(0xffc12345, 0x3f800000)).toBe(0x7fc00000);
    expect(bits.ieeeSub(0x7f800000, 0x7f800000)).toBe(0x7fc00000);
  });

  test('the long division of the kernels is the quotient rounded to nearest even', () => {
    const next = random(5);
    const words = new Uint32Array(2);
    const floats = new Float32Array(words.buffer);
    let ends = 0;
    const wrong: number[][] = [];
    for (let i = 0; i < 200_000; i++) {
      // Now and then with few bits, for exact quotients and ties.
      const mask = i % 3 === 0 ? 0xff_f00000 : 0xff_ffffff;
      for (const k of [0, 1]) words[k] = flushed(((next() * 2 ** 32) & (mask | 0x80000000)) >>> 0);
      const [a = 0, b = 0] = floats;
      if (b === 0 || !Number.isFinite(a) || !Number.isFinite(b)) continue;
      const expected = quotient(a, b);
      if (expected === 0 || !Number.isFinite(expected)) ends += 1;
      const [u = 0, v = 0] = words;
      if (longDivision(u, v) !== bits.ieeeDiv(u, v)) wrong.push([u, v]);
    }
    expect(wrong).toEqual([]);
    expect(ends).toBeGreaterThan(100);
  });
});

/** `quotient` of shaders/arithmetic/reproducible.wgsl, line by line. */
function longDivision(u: number, v: number): number {
  if ((u & 0x7fffffff) === 0) return 0;
  const by = (v & 0x7fffff) | 0x800000;
  let rest = (u & 0x7fffff) | 0x800000;
  let exponent = ((u & 0x7fffffff) >>> 23) - ((v & 0x7fffffff) >>> 23) + 127;
  if (rest < by) {
    rest *= 2;
    exponent -= 1;
  }
  rest -= by;
  let digits = 1;
  for (let i = 0; i < 3; i++) {
    const digit = Math.floor((rest * 256) / by);
    rest = rest * 256 - digit * by;
    digits = digits * 256 + digit;
  }
  const up = (digits & 1) === 1 && (rest !== 0 || (digits & 2) === 2);
  const sign = (u ^ v) & 0x80000000;
  if (exponent <= 0) return 0;
  if (exponent >= 255) return (sign | 0x7f800000) >>> 0;
  const size = exponent * 2 ** 23 + (digits >>> 1) - 0x800000 + (up ? 1 : 0);
  return flushed((size | sign) >>> 0);
}

test('a bundle loads it only where it is asked for', async () => {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [wat()],
    build: {
      write: false,
      minify: false,
      lib: { entry: new URL('../../src/index.ts', import.meta.url).pathname, formats: ['es'] },
    },
  });
  const { output } = (
    result as unknown as { output: { type: string; isEntry?: boolean; code?: string }[] }[]
  )[0] ?? {
    output: [],
  };
  const chunks = output.filter(({ type }) => type === 'chunk');
  const holding = chunks.filter(({ code }) => code?.includes('FLUSHED_MOST'));
  expect(holding).toHaveLength(1);
  expect(holding[0]?.isEntry).toBe(false);
});
