import { array, assert, constantFrom, integer, nat, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apportion, WHOLE, withShare } from '../../demo/see/shares.js';

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const shares = array(nat(50), { minLength: 2, maxLength: 6 }).map((weights) => apportion(weights, WHOLE));

describe('shares in whole percents', () => {
  test('stay whole numbers from 0 that add up to the whole, whichever is set to what', () => {
    assert(
      property(shares, nat(5), integer({ min: -20, max: 120 }), (given, at, percent) => {
        const k = at % given.length;
        const set = withShare(given, k, percent);
        expect(sum(set)).toBe(WHOLE);
        expect(set.every((share) => Number.isInteger(share) && share >= 0)).toBe(true);
        expect(set[k]).toBe(Math.min(WHOLE, Math.max(0, percent)));
      }),
    );
  });

  test('of the others keep their proportions to within one percent', () => {
    assert(
      property(shares, nat(5), nat(WHOLE), (given, at, percent) => {
        const k = at % given.length;
        const rest = WHOLE - (given[k] as number);
        const set = withShare(given, k, percent);
        for (const [j, share] of set.entries()) {
          if (j === k || rest === 0) continue;
          expect(Math.abs(share - ((given[j] as number) * (WHOLE - percent)) / rest)).toBeLessThan(1);
        }
      }),
    );
  });

  test('that were all 0 are shared evenly', () => {
    expect(withShare([100, 0, 0, 0], 0, 40)).toEqual([40, 20, 20, 20]);
    expect(apportion([0, 0, 0], 100)).toEqual([34, 33, 33]);
  });

  test('are unchanged where nothing changes', () => {
    assert(
      property(shares, constantFrom(0, 1), (given, k) => {
        expect(withShare(given, k, given[k] as number)).toEqual(given);
      }),
    );
  });
});
