// Statistics of rows of logits: every strategy and length of list, ties, special rows, layouts, plans.

import type { Policy, Strategy } from '../../src/index.js';
import { layoutOf } from '../../src/shape.js';
import type { Check, Env } from './check.js';
import { hardLogits, hardTargets, random } from './data.js';
import { checkLogitStats } from './logitStatsCheck.js';

/** Everything about logitStats. */
export function logitStatsChecks(): Check[] {
  return [...strategyChecks()];
}

/** Small workgroups: a software adapter takes its time to compile much workgroup memory. */
const POLICIES: Readonly<Record<Strategy, Partial<Policy>>> = {
  'row-per-thread': { workgroupSize: 16 },
  'row-per-workgroup': { workgroupSize: 16 },
  'split-row': { workgroupSize: 16, segment: 256 },
};

/**
 * How long a list to ask for: none, within a thread's list, of two and three rounds, all (of many rounds), with the numbers of classes to
 * ask it of.
 */
const LISTS: readonly [topK: number | 'all' | undefined, ...classes: number[]][] = [
  [undefined, 1, 5, 16, 100, 257, 5000],
  [1, 1, 5, 65],
  [3, 3, 17, 1025, 20_001],
  [16, 17, 257],
  [40, 64, 1028, 5000],
  ['all', 2, 60, 7],
];

function strategyChecks(): Check[] {
  return (Object.keys(POLICIES) as Strategy[]).flatMap((strategy) =>
    LISTS.map(([topK, ...sizes], k) => ({
      name: `logitStats: ${strategy}, topK ${topK ?? 'none'}`,
      run: async (env: Env) => {
        for (const [at, classes] of sizes.entries()) {
          const rows = classes > 2000 ? 3 : classes > 100 ? 10 : 67;
          const seed = 100 * at + k;
          const hard = hardLogits(rows, classes, { seed, first: at, extreme: at % 2 === 0 });
          const logits = withTies(hard, classes, seed);
          const policy = { strategy, ...POLICIES[strategy] };
          const where = `[${rows}, ${classes}], topK ${topK}, ${JSON.stringify(policy)}`;
          const layout = layoutOf('logitStats', [rows, classes]);
          const of = { where, layout, logits, policy, topK: topK === 'all' ? classes : topK };
          await checkLogitStats(env, { ...of, targets: hardTargets(logits, classes, { seed }) });
          if (at === 1) await checkLogitStats(env, of);
        }
      },
    })),
  );
}

/** Every third row with few different values, zeros of both signs among them. */
function withTies(
  logits: Float32Array<ArrayBuffer>,
  classes: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  const next = random(seed);
  const values = [0, -0, 1, -1, Number.NEGATIVE_INFINITY, 0, -0];
  return logits.map((x, i) =>
    Math.floor(i / classes) % 3 === 2 ? (values[Math.floor(next() * values.length)] as number) : x,
  );
}
