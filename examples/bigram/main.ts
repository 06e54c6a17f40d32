// Trains a bigram language model of a whole book by maximum likelihood: `npm start -- --help` lists the options.
import { type Context, createContext } from 'webgpu-loss';
import { openGpu } from '../../scripts/adapters.js';
import { runCommand } from '../../scripts/arguments.js';
import { readBook } from './book.js';
import { buildCorpus } from './corpus.js';
import { HELP, type Options, parseOptions } from './options.js';
import { compareWithOracle } from './oracle.js';
import { progressView } from './progress.js';
import { formatHeader, formatReport, type Report, toJson } from './report.js';
import { sampleSentence, seededRandom } from './sample.js';
import { conditionalEntropy, measure } from './theory.js';
import { train } from './train.js';

const SENTENCES = 4;

/** The context that the options ask for, and a sentence on which and why. */
async function openContext({ backend, adapter }: Options): Promise<{ context: Context; why: string }> {
  if (backend === 'cpu') {
    return { context: await createContext({ backend: 'cpu' }), why: 'CPU backend: it was asked for.' };
  }
  const { gpu, why } = await openGpu({ adapter });
  if (gpu !== null) return { context: await createContext({ backend: 'webgpu', gpu }), why };
  if (backend === 'webgpu') throw new Error(`--backend webgpu: ${why}`);
  return { context: await createContext({ backend: 'cpu' }), why: `CPU backend. ${why}` };
}

async function run(options: Options): Promise<void> {
  const corpus = buildCorpus(await readBook(), options.vocab);
  const { bigrams, vocabulary } = corpus;
  const floor = conditionalEntropy(bigrams);
  const { context, why } = await openContext(options);
  try {
    if (!options.json) console.log(`${formatHeader(corpus, why)}\n`);
    const view = progressView(options.steps, options.json);
    const start = performance.now();
    let trained: Awaited<ReturnType<typeof train>>;
    try {
      trained = await train(context, {
        bigrams,
        steps: options.steps,
        onProgress: ({ step, crossEntropy }) => view.update(step, crossEntropy, crossEntropy - floor),
      });
    } finally {
      view.stop();
    }
    const training = performance.now() - start;

    const { logits, history, stepTimes } = trained;
    const random = seededRandom(options.seed);
    const sentences = Array.from({ length: SENTENCES }, () => sampleSentence({ logits, vocabulary, random }));
    const report: Report = {
      backend: context.backend,
      why,
      corpus,
      steps: options.steps,
      seed: options.seed,
      floor,
      measures: measure(bigrams, logits),
      oracle: compareWithOracle(trained, bigrams.size),
      history,
      // performance.now() counts from the start of the process.
      milliseconds: { step: median(stepTimes), training, total: performance.now() },
      sentences,
    };
    console.log(options.json ? JSON.stringify(toJson(report), null, 2) : `\n${formatReport(report)}`);
  } finally {
    context.destroy();
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

await runCommand('start', async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else await run(options);
});
