import { describe, expect, test } from 'vitest';
import { Ledger } from './ledger.js';

const { POSITIVE_INFINITY: INF, NEGATIVE_INFINITY, NaN: NOT } = Number;
const FLT_MAX = 2 ** 128 - 2 ** 104;

describe('check', () => {
  test.each([
    ['equal', 1, 1, 0],
    ['within the bound', 1.5, 1, 0.5],
    ['NaN where it is due', NOT, NOT, 0],
    ['an infinity where it is due', NEGATIVE_INFINITY, NEGATIVE_INFINITY, NOT],
    ['zeros of different sign', -0, 0, 0],
    ['an overflow', INF, 6e38, 1],
    ['an overflow within the bound', INF, FLT_MAX, 1e33],
    ['the largest float32 where the bound reaches it', FLT_MAX, FLT_MAX + 1e32, 1e33],
  ])('accepts %s', (_, actual, expected, bound) => {
    expect(() => new Ledger('t').check('q', actual, expected, bound, 'here')).not.toThrow();
  });

  test.each([
    ['beyond the bound', 1.6, 1, 0.5],
    ['any error without a bound', 1 + 1e-15, 1, 0],
    ['an unusable bound', 1.5, 1, NOT],
    ['NaN', NOT, 1, INF],
    ['a number in place of NaN', 0, NOT, INF],
    ['an infinity made up', INF, 1, 1e30],
    ['an infinity missed', FLT_MAX, INF, INF],
    ['the wrong infinity', INF, NEGATIVE_INFINITY, INF],
    ['an overflow of the wrong sign', NEGATIVE_INFINITY, 6e38, 1],
    ['no overflow where there must be one', FLT_MAX, 6e38, 1],
  ])('refuses %s', (_, actual, expected, bound) => {
    const ledger = new Ledger('target');
    expect(() => ledger.check('quantity', actual, expected, bound, () => 'case[3]')).toThrow(
      `target: quantity at case[3] is ${actual}, expected ${expected}`,
    );
    expect(ledger.toJSON()).toEqual([]);
  });
});

test('checkAll names the element and refuses a missing one', () => {
  const ledger = new Ledger('t');
  ledger.checkAll('q', [1, 2], [1, 2.5], (i) => i, 'case');
  expect(ledger.toJSON()).toEqual([{ target: 't', quantity: 'q', worst: 0.5, where: 'case[1]', count: 2 }]);
  expect(() => ledger.checkAll('q', [1, 4], [1, 2.5], (i) => i, 'case')).toThrow('case[1]');
  expect(() => ledger.checkAll('q', [1], [1, 2], () => 1, 'case')).toThrow('holds 1 values, expected 2');
});

test('keeps the worst of each quantity and target, through JSON and merging', () => {
  const here = new Ledger('here');
  here.check('q', 1.1, 1, 1, 'a');
  here.check('q', 1.5, 1, 1, 'b');
  here.check('r', 1, 1, 1, 'c');
  const there = new Ledger('there');
  there.check('q', 1.25, 1, 1, 'd');
  const all = new Ledger('here');
  all.check('q', 1.75, 1, 1, 'e');
  all.merge(JSON.parse(JSON.stringify(here)));
  all.merge(there);
  expect(all.toJSON()).toEqual([
    { target: 'here', quantity: 'q', worst: 0.75, where: 'e', count: 3 },
    { target: 'here', quantity: 'r', worst: 0, where: 'c', count: 1 },
    { target: 'there', quantity: 'q', worst: 0.25, where: 'd', count: 1 },
  ]);
  expect(all.table().split('\n')).toEqual([
    'quantity  target  error / bound  compared  worst at',
    'q         here            0.750         3  e',
    'q         there           0.250         1  d',
    'r         here            0.000         1  c',
  ]);
});
