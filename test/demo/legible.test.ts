import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../bench/measure/benchCase.js';
import { quantilesOf, ratiosOf } from '../../bench/measure/quantiles.js';
import { legible } from '../../demo/measure/legible.js';

/** Two contenders with the times of their samples, as `benchCase` gives them. */
function outcomesOf(a: readonly number[], b: readonly number[]): readonly Outcome[] {
  const outcome = (contender: string, own: readonly number[], other: string, theirs: readonly number[]) => ({
    contender,
    errorOverBound: 0.5,
    timing: {
      clock: 'wall' as const,
      batch: 1,
      rounds: own.length,
      ms: quantilesOf(own),
      ratios: { [other]: ratiosOf(own, theirs) },
    },
  });
  return [outcome('a', a, 'b', b), { contender: 'wrong', wrong: 'NaN' }, outcome('b', b, 'a', a)];
}

const seven = (first: number, rest: number): number[] => [first, ...Array(6).fill(rest)];

describe('times by a coarse clock', () => {
  test('are shown where all samples have lasted', () => {
    const outcomes = outcomesOf(seven(1, 2), seven(1e-6, 1e-6));
    expect(legible(outcomes)).toEqual(outcomes);
  });

  test('are not where the clock stood still for a sample of one of the contenders: the ratios of all are wrong', () => {
    const leftOut = "this browser's clock is too coarse";
    for (const still of [seven(0, 16), seven(0, 0), seven(16, 0)]) {
      expect(legible(outcomesOf(seven(1, 2), still))).toEqual([
        { contender: 'a', errorOverBound: 0.5, leftOut },
        { contender: 'wrong', wrong: 'NaN' },
        { contender: 'b', errorOverBound: 0.5, leftOut },
      ]);
    }
  });
});
