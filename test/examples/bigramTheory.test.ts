import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Bigrams,
  conditionalEntropy,
  countingSolution,
  measure,
  weighByFrequency,
} from '../../examples/bigram/theory.js';
import { logSoftmaxRow } from '../../examples/common/softmax.js';

/** Bigrams from a matrix of counts. */
function bigramsOf(counts: readonly number[], size: number): Bigrams {
  const rowCounts = new Float64Array(size);
  counts.forEach((count, cell) => {
    rowCounts[Math.floor(cell / size)]! += count;
  });
  return { size, counts: Uint32Array.from(counts), rowCounts, total: rowCounts.reduce((a, b) => a + b, 0) };
}

// Many zeros: unseen pairs and rows that nothing follows are what makes the problem hard.
const count = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 1000 }));
const anyBigrams = fc.integer({ min: 1, max: 6 }).chain((size) =>
  fc
    .array(count, { minLength: size * size, maxLength: size * size })
    .filter((counts) => counts.some((each) => each > 0))
    .map((counts) => bigramsOf(counts, size)),
);
const withLogits = anyBigrams.chain((bigrams) => {
  const cells = bigrams.size ** 2;
  const logit = fc.double({ min: -30, max: 30, noNaN: true });
  return fc.tuple(fc.constant(bigrams), fc.array(logit, { minLength: cells, maxLength: cells }));
});

describe('theory', () => {
  it('knows the entropy of a distribution worked out by hand', () => {
    // After token 0 (3 of 4 pairs) each token 1 in 3 times; after token 1 always token 2; token 2 ends the text.
    const bigrams = bigramsOf([1, 1, 1, 0, 0, 1, 0, 0, 0], 3);
    expect(conditionalEntropy(bigrams)).toBeCloseTo((3 / 4) * Math.log(3), 14);
    expect([...countingSolution(bigrams)]).toEqual(
      [1, 1, 1, 0, 0, 3, 0, 0, 0].map((c) => Math.fround(c / 3)),
    );
  });

  it('has the counting solution at the floor, with no divergence', () => {
    fc.assert(
      fc.property(anyBigrams, (bigrams) => {
        // ln 0 = -Infinity, except in rows that nothing follows: they have no solution and no weight.
        const logits = Float64Array.from(bigrams.counts, (c, cell) =>
          bigrams.rowCounts[Math.floor(cell / bigrams.size)] === 0 ? 0 : Math.log(c),
        );
        const measures = measure(bigrams, logits);
        const floor = conditionalEntropy(bigrams);
        expect(measures.crossEntropy).toBeCloseTo(floor, 12);
        expect(measures.divergence).toBeCloseTo(0, 12);
        expect(measures.maxDifference).toBeCloseTo(0, 12);
        expect(measures.totalVariation).toBeCloseTo(0, 12);
        expect(measures.sameBest).toBe(1);
      }),
    );
  });

  it('splits any cross-entropy into the floor and a divergence that is never negative', () => {
    fc.assert(
      fc.property(withLogits, ([bigrams, logits]) => {
        const { crossEntropy, divergence, perplexity, totalVariation } = measure(bigrams, logits);
        expect(crossEntropy).toBeCloseTo(conditionalEntropy(bigrams) + divergence, 10);
        expect(divergence).toBeGreaterThanOrEqual(-1e-12);
        // Pinsker's inequality, which holds row by row and so on the average.
        expect(divergence).toBeGreaterThanOrEqual(2 * totalVariation ** 2 - 1e-12);
        expect(perplexity).toBeCloseTo(Math.exp(crossEntropy), 10);
      }),
    );
  });

  it('measures the uniform model as ln V', () => {
    const bigrams = bigramsOf([5, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0], 4);
    const { crossEntropy, perplexity, totalVariation } = measure(bigrams, new Float32Array(16));
    expect(crossEntropy).toBeCloseTo(Math.log(4), 14);
    expect(perplexity).toBeCloseTo(4, 13);
    // 3/4 of the mass is misplaced where one token follows, 1/2 where two do.
    expect(totalVariation).toBeCloseTo((8 * 0.75 + 2 * 0.5) / 10, 14);
  });

  it('weighs losses by the rows, and leaves rows without a count out', () => {
    const bigrams = bigramsOf([3, 0, 0, 0, 0, 0, 0, 1, 0], 3);
    expect(weighByFrequency(bigrams, [2, Number.NaN, 6])).toBe(3);
  });

  it('takes logits that are far apart', () => {
    expect([...logSoftmaxRow([9, 1e4, -1e4, Number.NEGATIVE_INFINITY], 1, 3)]).toEqual([
      0,
      -2e4,
      Number.NEGATIVE_INFINITY,
    ]);
  });
});
