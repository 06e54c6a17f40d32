import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Prepared } from '../../bench/measure/contender.js';
import { clockFor, measure, orderOf } from '../../bench/measure/measure.js';

const options = { rounds: 4, sampleMs: 10, budgetMs: 1000, clock: 'wall' } as const;

let now = 0;
let turns: string[] = [];

/** Takes `ms` of a clock that stands still otherwise. */
function fake(name: string, ms: number): Prepared {
  return {
    submit(times) {
      turns.push(name);
      now += times * ms;
    },
    done: async () => undefined,
    results: async () => undefined,
    destroy: () => undefined,
  };
}

beforeEach(() => {
  now = 0;
  turns = [];
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

describe('measuring', () => {
  it('batches what is fast until a sample lasts, and gives the time of one execution', async () => {
    const [slow, fast] = await measure([fake('slow', 20), fake('fast', 0.5)], options);
    expect(slow).toEqual({ batch: 1, ms: [20, 20, 20, 20] });
    expect(fast).toEqual({ batch: 20, ms: [0.5, 0.5, 0.5, 0.5] });
  });

  it('batches up to what it may, and feels its way there where the clock sees nothing', async () => {
    const [unseen] = await measure([fake('unseen', 0)], { ...options, mostBatched: 5000 });
    expect(unseen?.batch).toBe(5000);
    const tries = turns.length - options.rounds;
    // 1, 10, 100, 1000, 5000
    expect(tries).toBe(5);
    expect((await measure([fake('unseen', 0)], options))[0]?.batch).toBe(1000);
  });

  it('is not deceived by an interruption: a batch is as long as what lasts twice', async () => {
    const honest = fake('interrupted', 0.5);
    let calls = 0;
    const interrupted: Prepared = {
      ...honest,
      submit(times) {
        honest.submit(times);
        // The very first call is kept waiting.
        if (calls++ === 0) now += 30;
      },
    };
    const [measured] = await measure([interrupted], options);
    expect(measured).toEqual({ batch: 20, ms: [0.5, 0.5, 0.5, 0.5] });
  });

  it('gives each contender a turn in each round, in that round’s order', async () => {
    await measure([fake('a', 20), fake('b', 20), fake('c', 20)], options);
    const rounds = [0, 1, 2, 3].flatMap((round) => orderOf(round, 3).map((k) => 'abc'[k]));
    expect(turns.slice(-12)).toEqual(rounds);
  });

  it.each([1, 2, 3, 4, 5, 8, 9])('has an order in which none of %i always follows the same one', (count) => {
    const rounds = count % 2 === 0 ? count : 2 * count;
    const places: Record<string, number> = {};
    const followers: Record<string, number> = {};
    for (let round = 0; round < rounds; round++) {
      const order = orderOf(round, count);
      for (const [place, k] of order.entries()) {
        places[`${k} at ${place}`] = (places[`${k} at ${place}`] ?? 0) + 1;
        if (place > 0) {
          const pair = `${k} after ${order[place - 1]}`;
          followers[pair] = (followers[pair] ?? 0) + 1;
        }
      }
    }
    expect(Object.values(places)).toEqual(Array(count * count).fill(rounds / count));
    expect(Object.values(followers)).toEqual(Array(count * (count - 1)).fill(rounds / count));
  });

  it('does fewer rounds where the budget is short, but at least seven', async () => {
    const [one] = await measure([fake('a', 100)], { ...options, budgetMs: 850, rounds: 9 });
    const [other] = await measure([fake('a', 100)], { ...options, budgetMs: 2000, rounds: 9 });
    const [least] = await measure([fake('a', 100)], { ...options, budgetMs: 1, rounds: 9 });
    expect([one, other, least].map((measured) => measured?.ms.length)).toEqual([8, 9, 7]);
  });
});

describe('the clock', () => {
  const on = (device: object): Prepared => ({
    ...fake('', 1),
    gpu: { device: device as GPUDevice, encode: () => undefined },
  });
  const device = { features: new Set(['timestamp-query']) };

  it("is the GPU's where it has timestamps and all record themselves", () => {
    expect(clockFor([on(device), on(device)])).toBe('timestamps');
  });

  it.each([
    ['one has an encoder of its own', [on(device), fake('', 1)]],
    ['the device has no timestamps', [on({ features: new Set() })]],
    ['there are two devices', [on(device), on({ ...device })]],
    ['it is the CPU', [fake('', 1)]],
  ])('is that of the host where %s', (_, contenders) => {
    expect(clockFor(contenders)).toBe('wall');
  });
});
