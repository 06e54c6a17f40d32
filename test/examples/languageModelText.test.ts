import { beforeAll, describe, expect, it } from 'vitest';
import { readBook } from '../../examples/common/book.js';
import { ALL_TOKENS, baselines, readText, type Text } from '../../examples/language-model/text.js';
import { needTokenizer } from '../support/packages.js';

it('knows what a model must get below', () => {
  // Learned: 0 three times, 1 once; 2 never.
  const given = { classes: 3, learned: Int32Array.of(0, 1, 0, 0), heldOut: Int32Array.of(0, 2) };
  const { uniform, unigram, unigramHeldOut } = baselines(given);
  expect(uniform).toBeCloseTo(Math.log(3), 14);
  expect(unigram).toBeCloseTo(-0.75 * Math.log(0.75) - 0.25 * Math.log(0.25), 14);
  // Counts of 4, 2 and 1 of 7.
  expect(unigramHeldOut).toBeCloseTo(-(Math.log(4 / 7) + Math.log(1 / 7)) / 2, 14);
});

describe('Moby Dick in tokens of o200k_base', () => {
  needTokenizer();
  let book: string[];
  let whole: Text;
  let small: Text;
  beforeAll(async () => {
    book = await readBook();
    [whole, small] = await Promise.all([readText(book), readText(book, 500)]);
  }, 60_000);

  it('is the whole book, the last tenth of it held out', () => {
    const ids = [...whole.learned, ...whole.heldOut];
    expect(whole.spell(ids)).toBe(book.join('\n\n'));
    expect(Math.abs(whole.heldOut.length / ids.length - 0.1)).toBeLessThan(1e-5);
    expect(new Set(ids).size).toBe(whole.types);
    expect(whole).toMatchObject({ classes: ALL_TOKENS, rest: undefined, restShare: 0 });
    expect(Math.max(...new Set(ids))).toBeLessThan(ALL_TOKENS);
  });

  it('writes every token of the vocabulary, special ones as nothing', () => {
    // The last one of text.
    expect(whole.spell([199_997])).toBe(' cocos');
    for (let id = 199_998; id < ALL_TOKENS; id++) expect(whole.spell([id])).toBe('');
  });

  it('has the commonest tokens in a smaller vocabulary, and one for the rest', () => {
    const ids = [...small.learned, ...small.heldOut];
    const all = [...whole.learned, ...whole.heldOut];
    expect(small).toMatchObject({ classes: 501, rest: 500 });
    expect(ids).toHaveLength(all.length);
    const counts = new Float64Array(501);
    for (const id of ids) counts[id]! += 1;
    const kept = counts.slice(0, 500);
    expect([...kept]).toEqual([...kept].toSorted((a, b) => b - a));
    expect(small.restShare).toBeCloseTo(counts[500]! / ids.length, 14);
    // What is kept is written as it was.
    const pairs = new Map(ids.map((id, i) => [id, all[i]!]));
    for (const id of [0, 100, 499]) expect(small.spell([id])).toBe(whole.spell([pairs.get(id)!]));
    expect(small.spell([0, 500, 0])).toBe(`${small.spell([0])}<rest>${small.spell([0])}`);
    // What stands for itself is at least as common as anything that does not.
    const others = new Map<number, number>();
    for (const [i, token] of all.entries()) {
      if (ids[i] === 500) others.set(token, (others.get(token) ?? 0) + 1);
    }
    expect(others.size).toBe(small.types - 500);
    expect(Math.max(...others.values())).toBeLessThanOrEqual(kept[499]!);
  });

  it('reads other texts with the same ids', () => {
    expect(whole.spell([...whole.read('Call me Ishmael.')])).toBe('Call me Ishmael.');
    expect([...small.read('xyzzy the')].at(-1)).toBe(small.read(' the')[0]);
    expect(small.read('xyzzy')).toContain(500);
  });
});
