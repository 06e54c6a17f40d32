// The language model of examples/language-model, for the panel.
import { seededRandom } from '../../examples/common/random.js';
import { drawBatch } from '../../examples/language-model/batch.js';
import { tooLargeToBind } from '../../examples/language-model/memory.js';
import { openModel, type Sizes } from '../../examples/language-model/model.js';
import { writeText } from '../../examples/language-model/sample.js';
import { ALL_TOKENS, baselines, readText, type Text } from '../../examples/language-model/text.js';
import { bytes, count } from '../format.js';
import { SEED } from './bigrams.js';
import { type Prepare, RefusedError } from './subject.js';

/** What a GPU does in little time, and what a processor does in less than a second, with a small vocabulary. */
const EXTENTS: Readonly<Record<'gpu' | 'processor', Omit<Sizes, 'classes'>>> = {
  gpu: { rows: 1024, features: 128 },
  processor: { rows: 64, features: 32 },
};

/** Tokens of a text, and places of the held-out text that are measured with it. */
const LOOK = { tokens: 24, places: 512 };

export const prepareHead: Prepare = async (book, vocabulary, { limits, isFallbackAdapter, isGpu }) => {
  const text = await loadText(book, vocabulary);
  const sizes: Sizes = {
    classes: text.classes,
    ...EXTENTS[isGpu && !isFallbackAdapter ? 'gpu' : 'processor'],
  };
  const excess = tooLargeToBind(sizes, limits);
  if (excess !== undefined) {
    throw new RefusedError(
      `${count(sizes.classes)} tokens need matrices of ${bytes(excess.needed)}, and a binding of this device holds ` +
        `${bytes(excess.most)} at most; choose fewer tokens.`,
    );
  }
  return {
    untrained: {
      model: 'head',
      vocabulary: text.rest ?? ALL_TOKENS,
      sizes,
      restShare: text.restShare,
      baselines: baselines(text),
    },
    stepsALook: 20,
    async open(context, _kept, tell) {
      const model = await openModel(context, sizes);
      tell({ kind: 'memory', memory: model.memory });
      const random = seededRandom(SEED);
      return {
        async step(rate) {
          await model.step(drawBatch(text.learned, sizes.rows, random), rate);
          return { crossEntropy: await model.readLoss() };
        },
        // All that it learned is too much to be read each time: who loses the device begins again.
        async look() {
          const heldOut = await model.evaluate(text.heldOut, LOOK.places);
          return { text: await writeText(model, text, LOOK.tokens, seededRandom(SEED)), heldOut };
        },
        measure: async () => ({ crossEntropy: await model.evaluate(text.learned, LOOK.places) }),
        destroy: model.destroy,
      };
    },
  };
};

async function loadText(book: readonly string[], vocabulary: number): Promise<Text> {
  try {
    return await readText(book, vocabulary === ALL_TOKENS ? undefined : vocabulary);
  } catch (error) {
    if (error instanceof RangeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new RefusedError(`The tokenizer could not be loaded: ${reason}.`, { cause: error });
  }
}
