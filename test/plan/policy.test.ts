import { describe, expect, test } from 'vitest';
import { InvalidArgumentError } from '../../src/errors.js';
import type { AdapterFacts } from '../../src/info.js';
import { BLOCK, choosePolicy, chooseTiles, listCapacity, type Policy } from '../../src/plan/policy.js';
import { checkPolicy } from '../../src/plan/wishes.js';
import { factsWith as facts } from './facts.js';

/** What is left of a call's wishes, on an adapter that has what WebGPU guarantees. */
function check(wishes: Partial<Policy> | undefined): Partial<Policy> {
  return checkPolicy('test', wishes, { facts: facts(), reproducible: false }, {});
}

describe('choosePolicy', () => {
  test('longer rows get more threads', () => {
    const strategies = [1, 32, 1000, 10_000, 200_000, 262_144].map(
      (classes) => choosePolicy({ classes, inner: 1 }, facts()).strategy,
    );
    expect(strategies[0]).toBe('row-per-thread');
    expect(strategies[2]).toBe('row-per-workgroup');
    expect(strategies.at(-1)).toBe('split-row');
    const order = ['row-per-thread', 'row-per-workgroup', 'split-row'];
    const ranks = strategies.map((strategy) => order.indexOf(strategy));
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });

  test('what it chooses is always something that checkPolicy takes', () => {
    for (const classes of [1, 7, 33, 4097, 16_385, 262_144]) {
      for (const workgroupSize of [8, 64, 256]) {
        const policy = choosePolicy({ classes, inner: 1 }, facts(), { workgroupSize });
        expect(check(policy)).toEqual(policy);
        expect(policy.segment % (BLOCK * policy.workgroupSize)).toBe(0);
      }
    }
  });

  test('every wish that can be granted is', () => {
    const wishes: Policy = {
      strategy: 'split-row',
      workgroupSize: 128,
      segment: 4096,
      subgroups: false,
      vec4: false,
      unrolled: true,
      kept: false,
      apart: true,
      staged: false,
    };
    expect(choosePolicy({ classes: 5, inner: 1 }, facts(), wishes)).toEqual(wishes);
    expect(choosePolicy({ classes: 5, inner: 1 }, facts(), { subgroups: true }).subgroups).toBe(true);
  });

  test.each([
    ['the device lacks the feature', { features: [] }],
    ['the language lacks subgroup_id', { languageFeatures: [] }],
    ['a subgroup is one thread', { subgroupMinSize: 1 }],
    ['a subgroup may be larger than the workgroup', { subgroupMaxSize: 128 }],
  ])('no subgroups where %s', (_, changes) => {
    expect(choosePolicy({ classes: 100, inner: 1 }, facts(changes), { subgroups: true }).subgroups).toBe(
      false,
    );
  });
});

describe('tiles of a matrix product', () => {
  const software = { isFallbackAdapter: true, subgroupMinSize: 4, subgroupMaxSize: 8 };
  const subgroupsOf = (changes: Partial<AdapterFacts>, wishes: Partial<Policy> = {}): boolean =>
    chooseTiles(facts({ ...software, ...changes }), wishes).subgroups;

  test('share what they read in common by subgroups where these fit', () => {
    expect(subgroupsOf({})).toBe(true);
    expect(subgroupsOf({ isFallbackAdapter: false }, { staged: false })).toBe(true);
  });

  test.each<[string, Partial<AdapterFacts>, Partial<Policy>]>([
    ['the device lacks the feature', { features: [] }, {}],
    ['a subgroup may have fewer than four threads', { subgroupMinSize: 2 }, {}],
    ['a subgroup may be larger than the workgroup', { subgroupMaxSize: 16 }, {}],
    ['nobody wants them', {}, { subgroups: false }],
    ['they go through workgroup memory', {}, { staged: true }],
  ])('do not where %s', (_, changes, wishes) => {
    expect(subgroupsOf(changes, wishes)).toBe(false);
  });
});

test('lists fit in workgroup memory next to the statistics, whatever the workgroup', () => {
  const { maxComputeWorkgroupStorageSize: most } = facts().limits;
  const capacities = [8, 16, 32, 64, 128, 256].map((workgroupSize) => {
    const capacity = listCapacity(workgroupSize, 6, facts());
    expect(workgroupSize * 4 * (6 + 2 * capacity)).toBeLessThanOrEqual(most);
    expect(Number.isInteger(Math.log2(capacity))).toBe(true);
    return capacity;
  });
  expect(capacities).toEqual([16, 16, 16, 16, 8, 4]);
  // The largest workgroup that is allowed anywhere still has a list of one.
  expect(512 * 4 * (6 + 2 * listCapacity(512, 6, facts()))).toBeLessThanOrEqual(most);
});

describe('checkPolicy', () => {
  test.each([
    [{ strategy: 'fast' }, /strategy.*row-per-thread/],
    [{ workgroupSize: 4 }, /workgroupSize is 4.*8 to 256/],
    [{ workgroupSize: 512 }, /workgroupSize is 512.*8 to 256/],
    [{ workgroupSize: 96 }, /power of two/],
    [{ workgroupSize: Number.NaN }, /workgroupSize/],
    [{ segment: 0 }, /segment/],
    [{ segment: 1000 }, /multiple of 1024/],
    [{ segment: 1024, workgroupSize: 128 }, /multiple of 2048/],
    [{ subgroups: 'yes' }, /subgroups must be true or false/],
    [{ vec4: 0 }, /vec4 must be true or false/],
    [{ threads: 1 }, /threads.*strategy/],
  ])('%j is refused', (wishes, words) => {
    const checking = () => check(wishes as never);
    expect(checking).toThrow(InvalidArgumentError);
    expect(checking).toThrow(words);
  });

  test('gives the wishes back, in an object of its own', () => {
    const wishes = { workgroupSize: 32 };
    expect(check(wishes)).toEqual(wishes);
    expect(check(wishes)).not.toBe(wishes);
    expect(check(undefined)).toEqual({});
  });
});
