import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../examples/common/random.js';
import {
  batchAt,
  CONTEXT,
  drawBatch,
  occurrencesOf,
  spreadPlaces,
} from '../../examples/language-model/batch.js';

const ids = Int32Array.from({ length: 40 }, (_, i) => 100 + i);

describe('a batch', () => {
  it('has the tokens before each target, the nearest first, and leaves out what is missing', () => {
    const { contexts, targets } = batchAt(ids, [CONTEXT, 20], 3);
    const tokensBefore = (place: number) => Array.from({ length: CONTEXT }, (_, k) => 100 + place - 1 - k);
    expect([...contexts]).toEqual([
      ...tokensBefore(CONTEXT),
      ...tokensBefore(20),
      ...new Array(CONTEXT).fill(0),
    ]);
    expect([...targets]).toEqual([100 + CONTEXT, 120, -100]);
  });

  it('is drawn from all places that have a context, the same for the same seed', () => {
    const { targets } = drawBatch(ids, 2000, seededRandom(3));
    expect(new Set(targets)).toEqual(new Set(ids.slice(CONTEXT)));
    expect(drawBatch(ids, 50, seededRandom(3))).toEqual(drawBatch(ids, 50, seededRandom(3)));
    expect(drawBatch(ids, 50, seededRandom(4))).not.toEqual(drawBatch(ids, 50, seededRandom(3)));
  });
});

it('places are spread over the whole text', () => {
  expect(spreadPlaces(ids, 3)).toEqual([CONTEXT, 16, 28]);
  expect(spreadPlaces(ids, 1000)).toEqual(Array.from({ length: 40 - CONTEXT }, (_, i) => CONTEXT + i));
});

it('occurrences are all places of each token, once', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 30 }), (contexts) => {
      const { tokens, starts, places } = occurrencesOf(Int32Array.from(contexts));
      expect([...tokens]).toEqual([...new Set(contexts)].toSorted((a, b) => a - b));
      expect(starts).toHaveLength(tokens.length + 1);
      const found = [...tokens].map((_, i) => [...places.subarray(starts[i], starts[i + 1])]);
      expect(found).toEqual(
        [...tokens].map((token) => [...contexts.keys()].filter((place) => contexts[place] === token)),
      );
    }),
  );
});
