// Trains a language model with a head of 200,019 tokens: `npm run language-model -- --help` lists the options.
import { runCommand } from '../../scripts/arguments.js';
import { readBook } from '../common/book.js';
import { openContext } from '../common/context.js';
import { median } from '../common/format.js';
import { progressView } from '../common/progress.js';
import { seededRandom } from '../common/random.js';
import { CONTEXT } from './batch.js';
import { installTokenizer } from './install.js';
import { openModel } from './model.js';
import { extentFor, HELP, type Options, parseOptions } from './options.js';
import { formatHeader, formatReport, type Report, toJson } from './report.js';
import { writeText } from './sample.js';
import { baselines, readText } from './text.js';
import { train } from './train.js';

/** Tokens of the text that is drawn at the end. */
const SAMPLE = 60;

async function run(options: Options): Promise<void> {
  installTokenizer();
  const { context, kind, why } = await openContext(options);
  try {
    const extent = extentFor(kind, options);
    const { vocabulary, steps, batch: rows, features } = extent;
    const { rate, seed, json } = options;
    const text = await readText(await readBook(), vocabulary === 'all' ? undefined : vocabulary);
    const model = await openModel(context, { classes: text.classes, features, rows });
    try {
      const { backend } = context;
      const known = { backend, why, text, extent, sizes: model.sizes, memory: model.memory };
      if (!json) console.log(`${formatHeader(known)}\n`);
      const places = Math.min(extent.places, text.heldOut.length - CONTEXT);
      const before = await model.evaluate(text.heldOut, places);
      const view = progressView(steps, ['cross-entropy'], json);
      const start = performance.now();
      const trained = await train(model, {
        ids: text.learned,
        steps,
        rate,
        random: seededRandom(seed),
        onProgress: ({ step, crossEntropy }) => view.update(step, { 'cross-entropy': crossEntropy }),
      }).finally(() => view.stop());
      const training = performance.now() - start;
      const after = await model.evaluate(text.heldOut, places);
      const report: Report = {
        ...known,
        rate,
        seed,
        baselines: baselines(text),
        places,
        before,
        after,
        history: trained.history,
        sample: await writeText(model, text, SAMPLE, seededRandom(seed)),
        // performance.now() counts from the start of the process.
        milliseconds: { step: median(trained.stepTimes), training, total: performance.now() },
      };
      console.log(json ? JSON.stringify(toJson(report), null, 2) : `\n${formatReport(report)}`);
    } finally {
      model.destroy();
    }
  } finally {
    context.destroy();
  }
}

await runCommand('run language-model', async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else await run(options);
});
