import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext } from 'webgpu-loss';
import { ADAM } from '../../examples/bigram/adamSettings.js';
import { buildCorpus } from '../../examples/bigram/corpus.js';
import { measure, weighByFrequency } from '../../examples/bigram/theory.js';
import { openTrainer } from '../../examples/bigram/trainer.js';
import { fallingRate } from '../../examples/common/adam.js';
import { logSoftmaxRow } from '../../examples/common/softmax.js';

const { bigrams } = buildCorpus(['the whale saw the boat and the boat saw the whale and Ahab saw it'], 5);
const cells = bigrams.size ** 2;

describe('a trainer', () => {
  let context: Context;
  beforeAll(async () => {
    context = await createContext({ backend: 'cpu' });
  });
  afterAll(() => context.destroy());

  it('starts with every token equally likely', async () => {
    const trainer = await openTrainer(context, bigrams);
    await trainer.evaluate();
    for (const loss of await trainer.readLosses()) {
      // Rows that nothing follows have no loss.
      if (loss !== 0) expect(loss).toBeCloseTo(Math.log(bigrams.size), 6);
    }
    expect([...(await trainer.readLogits())]).toEqual(new Array(cells).fill(0));
    trainer.destroy();
  });

  it('has the losses of the logits before an update, and the logits after it', async () => {
    const trainer = await openTrainer(context, bigrams);
    for (let step = 0; step < 5; step++) {
      const before = await trainer.readLogits();
      await trainer.step(0.3);
      const crossEntropy = weighByFrequency(bigrams, await trainer.readLosses());
      expect(crossEntropy).toBeCloseTo(measure(bigrams, before).crossEntropy, 6);
      const after = measure(bigrams, await trainer.readLogits()).crossEntropy;
      expect(after).toBeLessThan(crossEntropy - 0.05);
    }
    trainer.destroy();
  });

  it('goes on from given logits, which stay the caller’s, as those that it gives do', async () => {
    const start = Float32Array.from({ length: cells }, (_, i) => Math.sin(i));
    const kept = start.slice();
    const trainer = await openTrainer(context, bigrams, start);
    await trainer.evaluate();
    const expected = measure(bigrams, kept).crossEntropy;
    expect(weighByFrequency(bigrams, await trainer.readLosses())).toBeCloseTo(expected, 6);
    await trainer.step(0.5);
    expect(start).toEqual(kept);
    const read = await trainer.readLogits();
    const copy = read.slice();
    read.fill(7);
    expect(await trainer.readLogits()).toEqual(copy);
    trainer.destroy();
  });

  it('does what Adam does', async () => {
    const { size, counts, rowCounts } = bigrams;
    const trainer = await openTrainer(context, bigrams);
    const { beta1, beta2, epsilon } = ADAM;
    const [logits, mean, square] = Array.from({ length: 3 }, () => new Float64Array(cells)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    for (let t = 1; t <= 4; t++) {
      await trainer.step(0.2);
      const probs = Array.from(rowCounts, (_, row) =>
        [...logSoftmaxRow(logits, row * size, size)].map(Math.exp),
      ).flat();
      for (let i = 0; i < cells; i++) {
        const gradient =
          (rowCounts[Math.floor(i / size)] as number) * (probs[i] as number) - (counts[i] as number);
        mean[i] = beta1 * (mean[i] as number) + (1 - beta1) * gradient;
        square[i] = beta2 * (square[i] as number) + (1 - beta2) * gradient ** 2;
        const spread = Math.sqrt((square[i] as number) / (1 - beta2 ** t)) + epsilon;
        logits[i] = (logits[i] as number) - (0.2 * (mean[i] as number)) / (1 - beta1 ** t) / spread;
      }
    }
    const trained = await trainer.readLogits();
    // Float32 in some ten operations on numbers below 1.
    for (const [i, logit] of trained.entries()) {
      expect(Math.abs(logit - (logits[i] as number))).toBeLessThan(1e-5);
    }
    expect(Math.max(...trained)).toBeGreaterThan(0.5);
    trainer.destroy();
  });

  it('moves no logit by more than the rate allows at first', async () => {
    const trainer = await openTrainer(context, bigrams);
    await trainer.step(0.25);
    const logits = await trainer.readLogits();
    // Corrected for their start at 0, the averages are those of one gradient: each step is the rate, up or down.
    expect(Math.max(...logits.map(Math.abs))).toBeCloseTo(0.25, 5);
    trainer.destroy();
  });
});

it('a falling rate is a half cosine', () => {
  expect(fallingRate(2, 1, 40)).toBe(2);
  expect(fallingRate(2, 21, 40)).toBeCloseTo(1, 12);
  expect(fallingRate(2, 40, 40)).toBeGreaterThan(0);
  expect(fallingRate(2, 40, 40)).toBeLessThan(0.01);
});
