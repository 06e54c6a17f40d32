import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext } from 'webgpu-loss';
import { buildCorpus, type Corpus } from '../../examples/bigram/corpus.js';
import { compareWithOracle } from '../../examples/bigram/oracle.js';
import { GOAL } from '../../examples/bigram/report.js';
import { conditionalEntropy, measure } from '../../examples/bigram/theory.js';
import { type Progress, train } from '../../examples/bigram/train.js';
import { readBook } from '../../examples/common/book.js';

describe('training on the CPU backend', () => {
  let context: Context;
  let corpus: Corpus;
  beforeAll(async () => {
    context = await createContext({ backend: 'cpu' });
    corpus = buildCorpus(await readBook(), 100);
  });
  afterAll(() => context.destroy());

  it('reaches the counting solution', async () => {
    const { bigrams } = corpus;
    const floor = conditionalEntropy(bigrams);
    const seen: Progress[] = [];
    const trained = await train(context, {
      bigrams,
      steps: 42,
      onProgress: (progress) => seen.push(progress),
    });

    const measures = measure(bigrams, trained.logits);
    expect(measures.divergence).toBeLessThan(GOAL);
    expect(measures.divergence).toBeGreaterThan(0);
    expect(measures.crossEntropy - floor).toBeCloseTo(measures.divergence, 10);
    expect(measures.maxDifference).toBeLessThan(1e-3);
    expect(measures.sameBest).toBeGreaterThan(0.95);

    // 42 steps: a loss every 5, after the last two, and of the trained model; far from the floor at first.
    expect(seen.map(({ step }) => step)).toEqual([4, 9, 14, 19, 24, 29, 34, 39, 41, 42]);
    expect(trained.history).toEqual(seen);
    expect(trained.stepTimes).toHaveLength(9);
    expect(seen[0]!.crossEntropy - floor).toBeGreaterThan(10 * GOAL);
    expect(seen.at(-1)!.crossEntropy).toBeCloseTo(measures.crossEntropy, 6);
  });

  it('has the gradient of the negative log-likelihood of the text, as the oracle and as differences say', async () => {
    const { bigrams } = corpus;
    const trained = await train(context, { bigrams, steps: 2 });
    const agreement = compareWithOracle(trained, bigrams.size);
    expect(agreement.rows).toBe(101);
    expect(agreement.loss).toBeLessThan(1e-6);
    expect(agreement.gradient).toBeLessThan(1e-7);

    // By central differences of N times the cross-entropy: independent of the library.
    const logits = Float64Array.from(trained.logits);
    const likelihood = (cell: number, shift: number) => {
      const moved = Float64Array.from(logits);
      moved[cell]! += shift;
      return bigrams.total * measure(bigrams, moved).crossEntropy;
    };
    for (const cell of [0, 1, 57, 5 * 101 + 3, 100 * 101 + 100]) {
      const difference = (likelihood(cell, 1e-4) - likelihood(cell, -1e-4)) / 2e-4;
      expect(trained.gradient[cell]).toBeCloseTo(difference, 1);
    }
    expect(Math.abs(trained.gradient[0]!)).toBeGreaterThan(1);
  });

  it('leaves a row that nothing follows as it is', async () => {
    // "pequod" ends the text, so nothing follows it; nor is there a rest.
    const { bigrams, vocabulary } = buildCorpus(['the whale the whale saw the pequod'], 10);
    const { logits, gradient, losses, history } = await train(context, { bigrams, steps: 60 });
    for (const row of [vocabulary.indexOf('pequod'), vocabulary.length - 1]) {
      const cells = [row * bigrams.size, (row + 1) * bigrams.size] as const;
      expect([...logits.subarray(...cells)].every((logit) => logit === 0)).toBe(true);
      expect([...gradient.subarray(...cells)].every((each) => each === 0)).toBe(true);
    }
    expect([...losses].every(Number.isFinite)).toBe(true);
    expect(history.at(-1)!.crossEntropy - conditionalEntropy(bigrams)).toBeLessThan(GOAL);
  });
});

describe('the comparison with the oracle', () => {
  it('sees a wrong loss, a wrong gradient and a NaN', async () => {
    using context = await createContext({ backend: 'cpu' });
    const { bigrams } = buildCorpus(await readBook(), 20);
    const trained = await train(context, { bigrams, steps: 1 });
    const change = (values: Float32Array, cell: number, by: number) => {
      const changed = values.slice();
      changed[cell]! += by;
      return changed;
    };
    const cell = 3 * 21 + 5;
    const weight = trained.rowWeights[3]!;
    expect(compareWithOracle({ ...trained, losses: change(trained.losses, 3, 0.01) }, 21).loss).toBeCloseTo(
      0.01,
      5,
    );
    const gradient = change(trained.gradient, cell, weight / 8);
    expect(compareWithOracle({ ...trained, gradient }, 21).gradient).toBeCloseTo(1 / 8, 5);
    const broken = change(trained.gradient, cell, Number.NaN);
    expect(compareWithOracle({ ...trained, gradient: broken }, 21).gradient).toBeNaN();
  });
});
