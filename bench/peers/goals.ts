// What this library is to reach beside its peers, and whether it does.
import { type AnyShape, SHAPES, type Shape, shapeOfCase } from '../measure/cases.js';
import type { OpName } from '../measure/contender.js';
import type { Quantiles } from '../measure/quantiles.js';
import type { Row } from '../report/row.js';
import type { PlaceName } from './options.js';
import { contendersOf } from './roles.js';
import { LAYERS } from './shapes.js';

/** How many times as fast as a rival this library is to be, in some cases. */
export interface Goal {
  readonly where: PlaceName;
  readonly ops: readonly OpName[];
  readonly shapes: readonly AnyShape[];
  /** The contender that is judged. Default: this library as it is by itself. */
  readonly who?: 'ours' | 'ours-chunked';
  /** A contender, or the fastest of the peers. */
  readonly rival: 'best peer' | 'naive-64' | 'tfjs' | 'jax-js' | 'materialised';
  readonly times: number;
}

const LARGE: readonly Shape[] = [
  [256, 32768],
  [16, 151936],
];

// For the gradient, a peer is one that derives it; the others know no crossEntropyGrad.
const gradient = (where: PlaceName, shapes: readonly Shape[], rival: Goal['rival'], times: number): Goal => ({
  where,
  ops: ['crossEntropyGrad'],
  shapes,
  rival,
  times,
});

const fasterThanAll = (where: PlaceName): Goal => ({
  where,
  ops: ['softmax', 'logSoftmax', 'logSumExp', 'crossEntropy'],
  shapes: SHAPES,
  rival: 'best peer',
  times: 1,
});

/** The product ahead of those frameworks that one trains with. */
const product = (where: PlaceName, rival: 'tfjs' | 'jax-js'): Goal => ({
  where,
  ops: ['matMul'],
  shapes: LAYERS,
  rival,
  times: 1,
});

/** At most so many times the time that it takes with memory for all logits. */
const MOST_OF_MATERIALISED = 1.15;

const bounded = (where: PlaceName, who: NonNullable<Goal['who']>): Goal => ({
  where,
  ops: ['linearCrossEntropyGrad'],
  shapes: LAYERS,
  who,
  rival: 'materialised',
  times: 1 / MOST_OF_MATERIALISED,
});

const ofLayers = (where: PlaceName): readonly Goal[] => [
  product(where, 'tfjs'),
  product(where, 'jax-js'),
  bounded(where, 'ours'),
  bounded(where, 'ours-chunked'),
];

export const GOALS: readonly Goal[] = [
  gradient('lavapipe', LARGE, 'naive-64', 3),
  gradient('lavapipe', LARGE, 'best peer', 7),
  gradient('lavapipe', [[1024, 1000]], 'best peer', 2.5),
  gradient('lavapipe', [[4096, 10]], 'best peer', 1.2),
  fasterThanAll('lavapipe'),
  ...ofLayers('lavapipe'),
  gradient('chromium', LARGE, 'naive-64', 1.4),
  gradient('chromium', LARGE, 'best peer', 4),
  gradient('chromium', [[1024, 1000]], 'best peer', 2.5),
  gradient('chromium', [[4096, 10]], 'best peer', 1.2),
  fasterThanAll('chromium'),
  ...ofLayers('chromium'),
];

/** What was found for a goal in one of its cases. */
export interface Finding {
  readonly goal: Goal;
  readonly op: OpName;
  readonly shape: AnyShape;
  /** Who the rival was, and how many times as fast this library was, round by round. Absent where nothing was measured. */
  readonly found?: { readonly rival: string; readonly ratio: Quantiles; readonly reached: boolean };
  /** Where the goal is not reached: the parts of the work alone. */
  readonly limits: readonly Limit[];
}

/** A part of the work alone. */
export interface Limit {
  readonly name: string;
  /** Its share of this library's time. */
  readonly share: number;
  /** How many times as fast as the rival it is: nothing that has to do it can be faster than that. */
  readonly timesRival: number;
}

/** Every goal in each of its cases. */
export function judge(rows: readonly Row[], goals: readonly Goal[] = GOALS): readonly Finding[] {
  return goals.flatMap((goal) =>
    goal.ops.flatMap((op) => goal.shapes.map((shape) => judgeCase(rows, goal, op, shape))),
  );
}

function judgeCase(rows: readonly Row[], goal: Goal, op: OpName, shape: AnyShape): Finding {
  const found = rows.filter(
    (row) =>
      row.adapter.name === goal.where && row.op === op && shapeOfCase(row).join('x') === shape.join('x'),
  );
  const { who = 'ours' } = goal;
  const ratios = found.find(({ contender }) => contender === who)?.timing?.ratios ?? {};
  const best = bestOf(ratios, goal.rival === 'best peer' ? contendersOf('peer') : [goal.rival]);
  if (best === undefined) return { goal, op, shape, limits: [] };
  const [rival, ratio] = best;
  const reached = goal.times === 1 ? ratio.median > 1 : ratio.median >= goal.times;
  const limits = reached ? [] : limitsOf(found, ratios, rival);
  return { goal, op, shape, found: { rival, ratio, reached }, limits };
}

type Ratios = Readonly<Record<string, Quantiles>>;

/** The fastest of `names`, and how many times as fast this library is. */
export function bestOf(
  ratios: Ratios,
  names: readonly string[],
): readonly [name: string, ratio: Quantiles] | undefined {
  return names
    .flatMap((name) => (ratios[name] ? [[name, ratios[name]] as const] : []))
    .toSorted(([, a], [, b]) => a.median - b.median)[0];
}

function limitsOf(rows: readonly Row[], ratios: Ratios, rival: string): readonly Limit[] {
  return rows
    .filter(({ contender }) => contendersOf('limit').includes(contender))
    .flatMap(({ contender: name, timing }) => {
      const [share, timesRival] = [ratios[name], timing?.ratios[rival]];
      return share && timesRival ? [{ name, share: share.median, timesRival: timesRival.median }] : [];
    });
}
