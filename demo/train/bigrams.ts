// The bigram model of `npm start`, for the panel.
import type { AdapterFacts } from 'webgpu-loss';
import { buildCorpus, type Corpus } from '../../examples/bigram/corpus.js';
import { sampleSentence } from '../../examples/bigram/sample.js';
import { conditionalEntropy, measure, weighByFrequency } from '../../examples/bigram/theory.js';
import { openTrainer } from '../../examples/bigram/trainer.js';
import { seededRandom } from '../../examples/common/random.js';
import { bytes, count } from '../format.js';
import { type Prepare, RefusedError } from './subject.js';

/** The same for each text, so that the model alone makes the difference. The year of the author’s birth. */
export const SEED = 1819;

const SENTENCES = 2;

export const prepareBigrams: Prepare = async (book, vocabulary, facts) => {
  const tooLarge = whyTooLarge(vocabulary, facts);
  if (tooLarge !== undefined) throw new RefusedError(tooLarge);
  const corpus = buildCorpus(book, vocabulary);
  const { bigrams, restShare } = corpus;
  const { size } = bigrams;
  const floor = conditionalEntropy(bigrams);
  return {
    untrained: { model: 'bigrams', vocabulary: size - 1, size, restShare, floor },
    // The logits are read for it, and kept: from there a lost device is made up for.
    stepsALook: 10,
    async open(context, kept) {
      const start = kept as Float32Array<ArrayBuffer> | undefined;
      const trainer = await openTrainer(context, bigrams, start).catch((cause) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`There is no room for five matrices of ${count(size)} × ${count(size)}: ${reason}`, {
          cause,
        });
      });
      return {
        async step(rate) {
          await trainer.step(rate);
          // The losses that the gradient came from: of the model before this update.
          const crossEntropy = weighByFrequency(bigrams, await trainer.readLosses());
          return { crossEntropy, divergence: crossEntropy - floor };
        },
        async look() {
          const logits = await trainer.readLogits();
          return { text: sentencesOf(logits, corpus), kept: logits };
        },
        async measure() {
          const { crossEntropy, divergence } = measure(bigrams, await trainer.readLogits());
          return { crossEntropy, divergence };
        },
        destroy: trainer.destroy,
      };
    },
  };
};

function sentencesOf(logits: Float32Array, { vocabulary }: Corpus): string {
  const random = seededRandom(SEED);
  const sentences = Array.from({ length: SENTENCES }, () => {
    const sentence = sampleSentence({ logits, vocabulary, random });
    return /[.!?]$/.test(sentence) ? sentence : `${sentence} …`;
  });
  return sentences.join(' ');
}

/** Why a model of so many of the commonest tokens cannot be trained there; `undefined` if it can. */
export function whyTooLarge(
  vocabulary: number,
  { limits }: Pick<AdapterFacts, 'limits'>,
): string | undefined {
  const size = vocabulary + 1;
  const needed = 4 * size * size;
  if (needed <= limits.maxBufferSize) return undefined;
  return (
    `${count(vocabulary)} tokens need matrices of ${bytes(needed)}, and a buffer of this device holds ` +
    `${bytes(limits.maxBufferSize)} at most; choose fewer tokens.`
  );
}
