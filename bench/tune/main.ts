// Looks for an adapter's best policies: `npm run tune -- --help` lists the options.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as library from 'webgpu-loss';
import { runCommand } from '../../scripts/arguments.js';
import { progressBar } from '../report/progress.js';
import { openAdapter } from '../run/adapter.js';
import { rotationOf } from '../run/effort.js';
import { versions } from '../run/versions.js';
import { detailed, outlines } from './candidates.js';
import { HELP, type Options, parseOptions } from './options.js';
import { formatReport, type TuneReport } from './report.js';
import { tuneShape } from './tuneShape.js';

async function tune({ adapter, dtype, shapes, ops, seed }: Options): Promise<TuneReport> {
  const open = await openAdapter(library, adapter);
  const found: TuneReport['shapes'][number][] = [];
  const context = await open();
  const first = outlines(context.info);
  const bar = progressBar(shapes.length * first.length, 'policies');
  try {
    for (const shape of shapes) {
      const ranked = await tuneShape({
        library,
        context,
        shape,
        dtype,
        ops,
        seed,
        outlines: first,
        detailed: (policy) => detailed(policy, context.info),
        rotate: rotationOf(context.info),
        onOutline: () => bar.step(shape.join('x')),
      });
      found.push({ shape, ranked });
    }
    const date = new Date().toISOString();
    return { date, adapter: context.info, versions: versions(), dtype, ops, seed, shapes: found };
  } finally {
    bar.stop();
    context.destroy();
  }
}

await runCommand('run tune', async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  const report = await tune(options);
  const json = `${JSON.stringify(report, null, 2)}\n`;
  if (options.out !== undefined) {
    mkdirSync(dirname(options.out), { recursive: true });
    writeFileSync(options.out, json);
  }
  console.log(options.json ? json.trimEnd() : formatReport(report));
});
