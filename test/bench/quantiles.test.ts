import { describe, expect, it } from 'vitest';
import { isDifferent, quantilesOf, ratiosOf } from '../../bench/measure/quantiles.js';
import { comparison } from '../../bench/report/table.js';

describe('quantiles', () => {
  it('lie between the samples, whatever their order', () => {
    expect(quantilesOf([40, 0, 20, 30, 10])).toEqual({ p5: 2, p25: 10, median: 20, p75: 30, p95: 38 });
  });

  it('of one sample are that sample', () => {
    expect(quantilesOf([3])).toEqual({ p5: 3, p25: 3, median: 3, p75: 3, p95: 3 });
  });

  it('of none are an error', () => {
    expect(() => quantilesOf([])).toThrow('no samples');
  });
});

describe('ratios', () => {
  it('compare round by round, so that a slow round slows both', () => {
    expect(ratiosOf([1, 100, 3], [2, 200, 6])).toEqual(quantilesOf([2, 2, 2]));
  });

  it('are above 1 for what is faster', () => {
    expect(ratiosOf([1], [4]).median).toBe(4);
  });

  it('need as many samples of both', () => {
    expect(() => ratiosOf([1, 2], [1])).toThrow('as many');
  });
});

describe('a difference', () => {
  const around = (p25: number, p75: number) => ({ p5: p25, p25, median: (p25 + p75) / 2, p75, p95: p75 });

  it.each([
    [1.1, 1.3, true, '1.20 (1.10 - 1.30)'],
    [0.7, 0.9, true, '0.800 (0.700 - 0.900)'],
    [0.9, 1.3, false, 'no difference (0.900 - 1.30)'],
    [1, 1.2, false, 'no difference (1.00 - 1.20)'],
  ])('between %d and %d: %s', (p25, p75, different, text) => {
    expect(isDifferent(around(p25, p75))).toBe(different);
    expect(comparison(around(p25, p75))).toBe(text);
  });
});
