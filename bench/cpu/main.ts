// Measures the CPU backend beside tfjs's CPU and WASM backends: `npm run bench:cpu -- --help` lists the options.

import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import * as library from 'webgpu-loss';
import { listOf, oneOf, readArguments, runCommand, whole } from '../../scripts/arguments.js';
import { benchCase } from '../measure/benchCase.js';
import { casesOf, QUICK_SHAPES, SHAPES } from '../measure/cases.js';
import type { Case, OpName } from '../measure/contender.js';
import { dataOf } from '../measure/data.js';
import { oursContender } from '../measure/ours.js';
import { progressBar } from '../report/progress.js';
import { effortFor } from '../run/effort.js';
import { shapeFrom } from '../run/shapeFrom.js';
import { versions } from '../run/versions.js';
import { callsContender } from './calls.js';
import { installTfjs, TFJS_VERSION } from './install.js';
import { type CaseReport, formatReport } from './report.js';
import { tfjsContender } from './tfjs.js';

const OPS: readonly OpName[] = ['softmax', 'logSoftmax', 'logSumExp', 'crossEntropy', 'crossEntropyGrad'];
const DEFAULT_SEED = 1851;
const MAX_SEED = 2 ** 32 - 1;
/** Peers promise no bounds; what is further off than this is wrong. */
const PEER_SLACK = 100;

const HELP = `Measures the CPU backend beside tfjs's CPU and WASM backends: correctness first, then time, in turn.

Usage: npm run bench:cpu -- [options]

  --op LIST      operations, by commas (default: all): ${OPS.join(', ')}
  --shape LIST   shapes ROWSxCLASSES, by commas (default: ${SHAPES.map((shape) => shape.join('x')).join(', ')})
  --seed N       seed of the data, 0 to ${MAX_SEED} (default ${DEFAULT_SEED})
  --quick        few samples, and of the shapes ${QUICK_SHAPES.map((shape) => shape.join('x')).join(', ')} unless --shape says otherwise
  --out FILE     also add what was measured to a file of JSON lines
  -h, --help     print this
`;

interface Options {
  readonly cases: readonly Case[];
  readonly seed: number;
  readonly quick: boolean;
  readonly out: string | undefined;
  readonly help: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const values = readArguments(args, {
    op: { type: 'string' },
    shape: { type: 'string' },
    seed: { type: 'string' },
    quick: { type: 'boolean' },
    out: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  const { quick = false, help = false, out } = values;
  const ops = values.op === undefined ? OPS : listOf('--op', values.op).map((op) => oneOf('--op', op, OPS));
  const named = quick ? QUICK_SHAPES : SHAPES;
  const shapes =
    values.shape === undefined ? named : listOf('--shape', values.shape).map((text) => shapeFrom(text));
  return {
    cases: casesOf(ops, shapes, ['f32']),
    seed: whole('--seed', values.seed, 0, MAX_SEED, DEFAULT_SEED),
    quick,
    out,
    help,
  };
}

/** tfjs's CPU backend takes its time, so that it has rounds of its own: the others get more of them. */
async function measureCase(of: Case, { seed, quick }: Options): Promise<CaseReport> {
  const context = await library.createContext({ backend: 'cpu' });
  try {
    const data = dataOf(of, seed);
    const ours = oursContender({ library, context });
    const effort = {
      ...effortFor(context.info, quick),
      slackOf: (name: string) => (name.startsWith('ours') ? 1 : PEER_SLACK),
    };
    const quickOnes = [
      ours,
      callsContender(library, context),
      tfjsContender('wasm'),
      tfjsContender('wasm', true),
    ];
    const outcomes = await benchCase(of, data, quickOnes, effort);
    const slow = await benchCase(of, data, [ours, tfjsContender('cpu')], { ...effort, budgetMs: 0 });
    const adapter = context.info.description;
    return { of, adapter, outcomes: [...outcomes, ...slow.filter(({ contender }) => contender !== 'ours')] };
  } finally {
    context.destroy();
  }
}

async function run(options: Options): Promise<void> {
  const { cases, seed, out } = options;
  installTfjs();
  if (out !== undefined) mkdirSync(dirname(out), { recursive: true });
  const software = { ...versions(), tfjs: TFJS_VERSION };
  const bar = progressBar(cases.length, 'cpu');
  const reports: CaseReport[] = [];
  try {
    for (const of of cases) {
      const report = await measureCase(of, options);
      reports.push(report);
      for (const outcome of out === undefined ? [] : report.outcomes) {
        appendFileSync(
          out as string,
          `${JSON.stringify({ ...of, seed, versions: software, adapter: report.adapter, ...outcome })}\n`,
        );
      }
      bar.step(`${of.op} ${of.rows}x${of.classes}`);
    }
  } finally {
    bar.stop();
  }
  const listed = Object.entries(software).map(([what, version]) => `${what} ${version}`);
  console.log(`${listed.join(', ')}; seed ${seed}\n${formatReport(reports)}`);
  const wrong = reports.flatMap(({ outcomes }) => outcomes.filter((outcome) => outcome.wrong !== undefined));
  if (wrong.some(({ contender }) => contender.startsWith('ours'))) throw new Error('ours is wrong');
}

await runCommand('run bench:cpu', async () => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) console.log(HELP);
  else await run(options);
});
