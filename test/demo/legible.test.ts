import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../bench/measure/benchCase.js';
import { quantilesOf } from '../../bench/measure/quantiles.js';
import { legible } from '../../demo/measure/legible.js';

const outcome = (contender: string, ms: readonly number[]): Outcome => ({
  contender,
  errorOverBound: 0.5,
  timing: { clock: 'wall', batch: 1, rounds: ms.length, ms: quantilesOf(ms), ratios: {} },
});
const wrong: Outcome = { contender: 'wrong', wrong: 'NaN' };

describe('times by a coarse clock', () => {
  test('are shown where all samples have lasted', () => {
    const outcomes = [outcome('a', [1, 2, 3]), wrong, outcome('b', [1e-6, 1e-6, 1e-6])];
    expect(legible(outcomes)).toEqual(outcomes);
  });

  test('are not where the clock stood still for one of the contenders: the ratios of all are wrong', () => {
    const coarse = { leftOut: "this browser's clock is too coarse" };
    expect(legible([outcome('a', [1, 2, 3]), wrong, outcome('b', [0, 0, 16])])).toEqual([
      { contender: 'a', errorOverBound: 0.5, ...coarse },
      wrong,
      { contender: 'b', errorOverBound: 0.5, ...coarse },
    ]);
  });
});
