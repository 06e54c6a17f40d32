// Trains a bigram language model of a whole book by maximum likelihood: `npm start -- --help` lists the options.
import { runCommand } from '../../scripts/arguments.js';
import { readBook } from '../common/book.js';
import { openContext } from '../common/context.js';
import { median } from '../common/format.js';
import { progressView } from '../common/progress.js';
import { seededRandom } from '../common/random.js';
import { buildCorpus } from './corpus.js';
import { HELP, type Options, parseOptions } from './options.js';
import { compareWithOracle } from './oracle.js';
import { formatHeader, formatReport, type Report, toJson } from './report.js';
import { sampleSentence } from './sample.js';
import { conditionalEntropy, measure } from './theory.js';
import { train } from './train.js';

const SENTENCES = 4;

async function run(options: Options): Promise<void> {
  const corpus = buildCorpus(await readBook(), options.vocab);
  const { bigrams, vocabulary } = corpus;
  const floor = conditionalEntropy(bigrams);
  const { context, why } = await openContext(options);
  try {
    if (!options.json) console.log(`${formatHeader(corpus, why)}\n`);
    const view = progressView(options.steps, ['cross-entropy', 'divergence'], options.json);
    const start = performance.now();
    let trained: Awaited<ReturnType<typeof train>>;
    try {
      trained = await train(context, {
        bigrams,
        steps: options.steps,
        onProgress: ({ step, crossEntropy }) =>
          view.update(step, { 'cross-entropy': crossEntropy, divergence: crossEntropy - floor }),
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

await runCommand('start', async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else await run(options);
});
