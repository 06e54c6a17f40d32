// Every strategy, forced at every interesting number of classes, for every op.

import type { Policy, Strategy } from '../../src/index.js';
import { layoutOf } from '../../src/shape.js';
import type { Check, Env } from './check.js';
import { hardLogits, hardProbs, hardTargets, hardWeights, normals } from './data.js';
import { checkKlDivergence, type KlChoices } from './klChecks.js';
import {
  type CrossEntropyChoices,
  checkCrossEntropy,
  checkLogSoftmax,
  checkLogSumExp,
  checkSoftmax,
  type RowsCase,
} from './opChecks.js';

/** Around vec4s, blocks of 16, subgroups, workgroups (also times 16) and segments; then real vocabularies. */
const CLASSES: readonly number[] = [
  1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 255, 256, 257, 1000, 1023, 1024,
  1025, 4095, 4096, 4097, 8192, 16384, 16385, 32768, 50257, 65536, 131072, 151936, 262144,
];
/** Above this, an op runs the few sizes of its own: a row takes long, and most of it is the same again. */
const ALWAYS = 5000;

/**
 * Two policies for each strategy. The second is for the ops and sizes that it could make a difference to: every shader takes its
 * time to compile. `determinism.ts` holds subgroups, vec4, unrolled and kept against doing without.
 */
const POLICIES: Readonly<Record<Strategy, readonly [Partial<Policy>, Partial<Policy>]>> = {
  'row-per-thread': [{ workgroupSize: 64 }, { workgroupSize: 256, vec4: false }],
  'row-per-workgroup': [
    { workgroupSize: 64, kept: true },
    { workgroupSize: 256, subgroups: false, vec4: false },
  ],
  // 1,024: rows of a few thousand classes have several segments, those of 131,072 more than the finishing threads.
  'split-row': [
    { workgroupSize: 64, segment: 1024 },
    { workgroupSize: 256, segment: 8192, subgroups: false, vec4: false },
  ],
};
const SECOND: ReadonlySet<number> = new Set([
  1, 5, 17, 255, 257, 1025, 4095, 4097, 8192, 16384, 50257, 65536, 262144,
]);

interface Group {
  readonly name: string;
  /** Sizes above `ALWAYS` that it runs. */
  readonly large: readonly number[];
  /** Runs the second policy too. */
  readonly both: boolean;
  /** Rows may be infinite, NaN, or have infinite results. */
  readonly extreme: boolean;
  readonly run: (env: Env, of: RowsCase, seed: number) => Promise<void>;
}

const GROUPS: readonly Group[] = [
  {
    name: 'softmax',
    both: true,
    large: [8192, 50257, 131072],
    extreme: true,
    run: (env, of, seed) => checkSoftmax(env, { ...of, upstream: normals(of.logits.length, seed) }),
  },
  {
    name: 'logSoftmax',
    both: false,
    large: [16385, 65536],
    extreme: true,
    run: (env, of, seed) => checkLogSoftmax(env, { ...of, upstream: normals(of.logits.length, seed) }),
  },
  {
    name: 'logSumExp',
    both: true,
    large: [8192, 16384, 16385, 32768, 50257, 65536, 131072, 151936, 262144],
    extreme: true,
    run: (env, of, seed) => checkLogSumExp(env, { ...of, upstream: normals(of.layout.rows, seed) }),
  },
  {
    name: 'crossEntropy of indices, none',
    both: true,
    large: [16384, 32768, 262144],
    extreme: true,
    run: (env, of, seed) =>
      checkCrossEntropy(env, {
        ...of,
        ...byIndex(of, seed, { reduction: 'none', gradOutput: normals(of.layout.rows, seed) }),
        grad: seed % 3 !== 0,
      }),
  },
  {
    name: 'crossEntropy of indices, weighted mean in place',
    both: false,
    large: [16385, 151936],
    extreme: false,
    run: (env, of, seed) =>
      checkCrossEntropy(env, {
        ...of,
        ...byIndex(of, seed, { weight: positive(of.layout.classes, seed), gradOutput: 0.75 }),
        grad: 'in-place',
      }),
  },
  {
    name: 'crossEntropy of indices, smoothed sum',
    both: false,
    large: [50257],
    extreme: false,
    run: (env, of, seed) => {
      const choices = { labelSmoothing: 0.1, reduction: 'sum', weight: hardWeights(of.layout.classes, seed) };
      return checkCrossEntropy(env, {
        ...of,
        ...byIndex(of, seed, choices as CrossEntropyChoices),
        grad: true,
      });
    },
  },
  {
    name: 'crossEntropy of probabilities, none',
    both: true,
    large: [16384, 65536],
    extreme: true,
    run: (env, of, seed) =>
      checkCrossEntropy(env, {
        ...of,
        targets: hardProbs(of.layout.rows, of.layout.classes, seed),
        choices: { reduction: 'none', gradOutput: normals(of.layout.rows, seed + 1) },
        grad: true,
      }),
  },
  {
    name: 'crossEntropy of probabilities, weighted smoothed mean in place',
    both: false,
    large: [50257],
    extreme: false,
    run: (env, of, seed) =>
      checkCrossEntropy(env, {
        ...of,
        targets: hardProbs(of.layout.rows, of.layout.classes, seed),
        choices: { labelSmoothing: 0.2, weight: hardWeights(of.layout.classes, seed) },
        grad: 'in-place',
      }),
  },
  {
    name: 'klDivergence from logits, none',
    both: true,
    large: [16384, 50257],
    extreme: true,
    run: (env, of, seed) =>
      divergence(env, of, teacherOf(of, seed), {
        target: 'logits',
        reduction: 'none',
        gradOutput: normals(of.layout.rows, seed + 1),
      }),
  },
  {
    name: 'klDivergence from logits, mean at a temperature',
    both: false,
    large: [32768],
    extreme: false,
    run: (env, of, seed) =>
      divergence(env, of, teacherOf(of, seed), {
        target: 'logits',
        temperature: 2.5,
        scaleByTemperatureSquared: true,
        gradOutput: 0.75,
      }),
  },
  {
    name: 'klDivergence from probabilities, none',
    both: true,
    large: [16385],
    extreme: true,
    run: (env, of, seed) =>
      divergence(env, of, hardProbs(of.layout.rows, of.layout.classes, seed), {
        target: 'probs',
        reduction: 'none',
        gradOutput: normals(of.layout.rows, seed + 1),
      }),
  },
  {
    name: 'klDivergence from log-probabilities, sum',
    both: false,
    large: [65536],
    extreme: false,
    run: (env, of, seed) =>
      divergence(
        env,
        of,
        hardProbs(of.layout.rows, of.layout.classes, seed).map((q) => Math.log(q)),
        { target: 'logProbs', reduction: 'sum', temperature: 0.8 },
      ),
  },
];

function divergence(
  env: Env,
  of: RowsCase,
  target: Float32Array<ArrayBuffer>,
  choices: KlChoices,
): Promise<void> {
  return checkKlDivergence(env, { ...of, target, choices });
}

/** Rows of all kinds against each other; every third teacher nearly agrees with its student. */
function teacherOf({ layout, logits }: RowsCase, seed: number): Float32Array<ArrayBuffer> {
  const { rows, classes } = layout;
  const other = hardLogits(rows, classes, { seed: seed + 1, first: seed });
  const noise = normals(rows * classes, seed);
  return logits.map((x, i) => {
    if (Math.floor(i / classes) % 3 !== 0) return other[i] as number;
    return x + 1e-5 * Math.max(1, Math.abs(x)) * (noise[i] as number);
  });
}

/** One check for each strategy and op, over all sizes. */
export function strategyChecks(): Check[] {
  return (Object.keys(POLICIES) as Strategy[]).flatMap((strategy) =>
    GROUPS.map((group) => ({
      name: `${strategy}: ${group.name}`,
      run: (env: Env) => runGroup(env, strategy, group),
    })),
  );
}

async function runGroup(env: Env, strategy: Strategy, group: Group): Promise<void> {
  const sizes = CLASSES.filter((classes) => classes < ALWAYS || group.large.includes(classes));
  for (const [at, classes] of sizes.entries()) {
    for (const [k, size] of POLICIES[strategy].entries()) {
      if (k === 1 && !(group.both && SECOND.has(classes))) continue;
      // The CPU has no strategies.
      if (env.ctx.backend === 'cpu' && (k === 1 || classes > 20_000)) continue;
      const policy = { strategy, ...size };
      const rows = rowsFor(classes, size.workgroupSize ?? 0);
      const layout = layoutOf('strategies', [rows, classes]);
      const seed = 1000 * at + classes + k;
      const logits = hardLogits(rows, classes, { seed, first: 3 * at + k, extreme: group.extreme });
      const where = `${group.name} [${rows}, ${classes}] ${JSON.stringify(policy)}`;
      await group.run(env, { where, layout, logits, policy }, seed);
    }
  }
}

/** More rows than a workgroup has threads where they are short, and one where they are very long. */
function rowsFor(classes: number, workgroupSize: number): number {
  // Multiples of 4 and others, whatever the classes: sums over rows have an alignment of their own.
  if (classes <= 17) return workgroupSize + (classes % 8 < 4 ? 4 : 5);
  if (classes <= 128) return classes % 8 < 4 ? 28 : 30;
  if (classes < ALWAYS) return 5;
  return classes <= 20_000 ? 2 : 1;
}

/** Targets of the rows, one in five of them ignored. With 'none' they may be masked, which makes the loss infinite. */
function byIndex(
  { layout, logits }: RowsCase,
  seed: number,
  choices: CrossEntropyChoices,
): { targets: Int32Array<ArrayBuffer>; choices: CrossEntropyChoices } {
  const ignore = seed % 2 === 0 ? -100 : 0;
  const finite = choices.reduction !== 'none';
  const targets = hardTargets(logits, layout.classes, { seed, ignore, finite });
  return { targets, choices: { ...choices, ignoreIndex: ignore } };
}

/** Weights whose sum, a mean's divisor, does not cancel. */
function positive(classes: number, seed: number): Float32Array<ArrayBuffer> {
  return hardWeights(classes, seed).map((weight) => 0.25 + Math.abs(weight));
}
