// The conformance checks on an adapter, without a test framework: one JSON line a check, and what passed is not run again.
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createContext } from '../../src/index.js';
import { gpu } from '../../src/node.js';
import { loadGolden } from '../../test/support/goldenFiles.js';
import { isTargetName } from '../../test/targets/names.js';
import { formatReports } from '../../test/targets/reporter.js';
import { runChecks } from '../../test/targets/run.js';
import type { Target } from '../../test/targets/target.js';
import { type CheckRow, leftToRun, readRows } from './resume.js';

const HELP = `Runs the conformance checks on one adapter.

  --adapter NAME   hardware (default), lavapipe, or a part of an adapter's name
  --golden FOLDER  where data.bin and manifest.json of test/golden are
  --out FILE       one JSON line a check; checks that passed there are not run again
  --only TEXT      only checks whose name contains TEXT
  --seconds N      stop after N seconds; the next call goes on from there
`;

/** A check that takes longer has left the adapter stuck. */
const PATIENCE_MS = 120_000;
const LINE_EVERY_MS = 10_000;

/** Runs a check; its error, if it has one. */
async function errorOf(target: Target, check: string): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const stuck = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`did not end within ${PATIENCE_MS / 1000} seconds`)),
      PATIENCE_MS,
    );
  });
  try {
    await Promise.race([target.run(check), stuck]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    clearTimeout(timer);
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      adapter: { type: 'string', default: 'hardware' },
      golden: { type: 'string' },
      out: { type: 'string' },
      only: { type: 'string', default: '' },
      seconds: { type: 'string', default: 'Infinity' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { adapter, golden, out, only } = values;
  if (values.help || golden === undefined || out === undefined) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const end = performance.now() + 1000 * Number(values.seconds);
  const opened = await gpu({ adapter });
  const name = isTargetName(adapter) ? adapter : 'hardware';
  const target = await runChecks({
    target: name,
    golden: loadGolden(new URL(`file://${golden}/`)),
    createContext: (options) => createContext({ backend: 'webgpu', gpu: opened, ...options }),
  });
  console.log(`conformance on ${target.adapter}`);
  const before = readRows(out).filter((row) => row.adapter === target.adapter);
  const wanted = target.checks.filter((check) => check.includes(only));
  const left = leftToRun(wanted, before);
  let told = performance.now();
  let [run, failed] = [0, 0];
  for (const check of left) {
    const start = performance.now();
    if (start > end) break;
    const error = await errorOf(target, check);
    const row: CheckRow = {
      check,
      adapter: target.adapter,
      ok: error === undefined,
      ms: Math.round(performance.now() - start),
      ...(error === undefined ? {} : { error }),
    };
    appendFileSync(out, `${JSON.stringify(row)}\n`);
    run += 1;
    failed += Number(!row.ok);
    if (error !== undefined) console.log(`FAILED ${check}\n${error}`);
    if (performance.now() - told > LINE_EVERY_MS) {
      told = performance.now();
      console.log(`${run} of ${left.length} checks, ${failed} failed`);
    }
  }
  process.stdout.write(
    formatReports([{ target: name, adapter: target.adapter, ledger: await target.ledger() }]),
  );
  const missing = left.length - run;
  console.log(
    `${wanted.length - left.length} checks had passed before; ${run - failed} passed, ${failed} failed, ${missing} not run for lack of time`,
  );
  return wanted.length > 0 && failed === 0 && missing === 0 ? 0 : 1;
}

/** Without a stack: it is most often an adapter that is missing, or an option. */
function tell(error: unknown): number {
  console.error(`conformance: ${error instanceof Error ? error.message : String(error)}`);
  return 1;
}

// A driver may keep the process alive, or fail while it is taken down.
process.exit(await main().catch(tell));
