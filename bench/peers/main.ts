// Measures this library beside its peers: `npm run bench:peers -- --help` lists the options.
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { runCommand } from '../../scripts/arguments.js';
import { nameOf } from '../measure/cases.js';
import { progressBar } from '../report/progress.js';
import { parseRows, type Row } from '../report/row.js';
import { versions } from '../run/versions.js';
import { openChromium } from './chromium.js';
import { installPeers, peerVersions } from './install.js';
import { openNode } from './node.js';
import { HELP, type Options, type PlaceName, parseOptions } from './options.js';
import type { Place } from './place.js';
import { formatReport } from './report.js';
import { formatSummaries } from './summary.js';

function open(where: PlaceName, { peers, seed, quick }: Options): Promise<Place> {
  const options = { where, peers, seed, quick, versions: { ...versions(), ...peerVersions() } };
  return where === 'chromium' ? openChromium(options) : openNode(where, options);
}

/** Not every machine has every place: the others have their turn all the same. */
async function openIfThere(where: PlaceName, options: Options): Promise<Place | undefined> {
  try {
    return await open(where, options);
  } catch (error) {
    console.error(`${where}: not measured: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function measureAll(options: Options): Promise<readonly Row[]> {
  const { places, cases, out } = options;
  const rows: Row[] = [];
  for (const where of places) {
    const place = await openIfThere(where, options);
    if (place === undefined) continue;
    const bar = progressBar(cases.length, where);
    try {
      for (const of of cases) {
        const measured = await place.measure(of);
        rows.push(...measured);
        if (out !== undefined)
          appendFileSync(out, measured.map((row) => `${JSON.stringify(row)}\n`).join(''));
        bar.step(nameOf(of));
      }
    } finally {
      bar.stop();
      await place.close();
    }
  }
  return rows;
}

await runCommand('run bench:peers', async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return;
  }
  if (options.render !== undefined) {
    const rows = options.render.flatMap((file) => parseRows(readFileSync(file, 'utf8'), file));
    console.log(options.markdown ? formatSummaries(rows) : formatReport(rows));
    return;
  }
  installPeers();
  if (options.out !== undefined) mkdirSync(dirname(options.out), { recursive: true });
  const rows = await measureAll(options);
  if (rows.length === 0) throw new Error('nothing could be measured');
  console.log(formatReport(rows));
  const wrong = rows.find(({ contender, wrong }) => contender === 'ours' && wrong !== undefined);
  if (wrong !== undefined) throw new Error(`this library is wrong in ${nameOf(wrong)}: ${wrong.wrong}`);
});
