// Measures this library: `npm run bench -- --help` lists the options.

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../scripts/arguments.js';
import { nameOf } from './measure/cases.js';
import { HELP, type Options, parseOptions } from './options.js';
import { progressBar } from './report/progress.js';
import { parseRows, type Row } from './report/row.js';
import { formatTables } from './report/table.js';
import { ADAPTERS } from './run/adapter.js';
import { type Build, buildRevision } from './run/against.js';
import { versions } from './run/versions.js';
import { inWorker, MissingAdapter, runWorker, WORKER } from './run/worker.js';

/** Measures on one adapter after the other; what fails on one is told, and the next has its turn. */
async function measureAll(options: Options, build: Build | undefined): Promise<readonly Row[]> {
  const { adapters, cases, policies, seed, quick } = options;
  const out = options.out ?? join('bench', 'out', `${new Date().toISOString().replaceAll(':', '-')}.jsonl`);
  mkdirSync(dirname(out), { recursive: true });
  const rows: Row[] = [];
  for (const adapter of adapters ?? ADAPTERS) {
    // There are as many for software.
    const bar = progressBar(cases.hardware.length, adapter);
    const known = versions();
    const rival = build && { name: `ours@${build.revision}`, entry: build.entry };
    try {
      await inWorker({ adapter, cases, policies, seed, quick, versions: known, rival }, (measured) => {
        rows.push(...measured);
        appendFileSync(out, measured.map((row) => `${JSON.stringify(row)}\n`).join(''));
        const [first] = measured;
        bar.step(first === undefined ? '' : nameOf(first));
      });
    } catch (error) {
      const isMissing = error instanceof MissingAdapter;
      bar.stop();
      console.error(`${adapter}: ${isMissing ? 'not measured: ' : ''}${(error as Error).message}`);
      if (!isMissing || adapters !== undefined) process.exitCode = 1;
      continue;
    }
    bar.stop();
  }
  console.error(`${rows.length} rows in ${out}`);
  return rows;
}

async function show(rows: readonly Row[], { json, plots }: Options): Promise<void> {
  console.log(json ? rows.map((row) => JSON.stringify(row)).join('\n') : formatTables(rows));
  if (plots === undefined) return;
  const { drawPlots } = await import('./report/plots.js');
  mkdirSync(plots, { recursive: true });
  for (const [name, svg] of Object.entries(drawPlots(rows))) writeFileSync(join(plots, name), svg);
}

async function run(options: Options): Promise<void> {
  if (options.render !== undefined) {
    const read = options.render.flatMap((file) => parseRows(readFileSync(file, 'utf8'), file));
    await show(read, options);
    return;
  }
  const build = options.against === undefined ? undefined : await buildRevision(options.against);
  try {
    const rows = await measureAll(options, build);
    await show(rows, options);
    const wrong = rows.filter((row) => row.wrong !== undefined);
    if (wrong.length > 0) throw new Error(`${wrong.length} of ${rows.length} rows are wrong`);
  } finally {
    await build?.remove();
  }
}

if (process.argv[2] === WORKER) {
  runWorker();
} else {
  await runCommand('run bench', async () => {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) console.log(HELP);
    else await run(options);
  });
}
