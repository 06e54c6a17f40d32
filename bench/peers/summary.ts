// The tables of README.md: how this library compares, from rows of results.
import { shapeOfCase } from '../measure/cases.js';
import type { OpName } from '../measure/contender.js';
import { isLinear } from '../measure/tensors.js';
import { shapeText } from '../report/figures.js';
import { markdownTable } from '../report/markdown.js';
import type { Row } from '../report/row.js';
import { bestOf } from './goals.js';
import { PLACES } from './options.js';
import { comparison } from './report.js';
import { contendersOf } from './roles.js';

export interface Summary {
  /** As `<!-- check: NAME -->` names it. */
  readonly name: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What stands for a rival that cannot do it, or takes too long. */
const NONE = '–';

const ROW_OPS = ['softmax', 'logSoftmax', 'logSumExp', 'crossEntropy', 'crossEntropyGrad'] as const;

/** How many times as fast as the best peer, over rows of each shape; one table a place. */
export function rowSummaries(rows: readonly Row[]): readonly Summary[] {
  return PLACES.map((place) => {
    const there = rows.filter(({ op, adapter }) => adapter.name === place && !isLinear(op));
    return {
      name: `peers ${place}`,
      head: ['rows × classes', ...ROW_OPS.map((op) => `\`${op}\``)],
      rows: shapesOf(there).map((shape) => [
        shape,
        ...ROW_OPS.map((op) => {
          const best = bestOf(ratiosOf(there, op, shape, 'ours'), contendersOf('peer'));
          return best ? `${comparison(best[1])} ${best[0]}` : NONE;
        }),
      ]),
    };
  });
}

const LAYER_COLUMNS: readonly (readonly [head: string, op: OpName, who: string, rival: string])[] = [
  ['product, × tfjs', 'matMul', 'ours', 'tfjs'],
  ['× jax-js', 'matMul', 'ours', 'jax-js'],
  ['loss and gradients, × tfjs', 'linearCrossEntropyGrad', 'ours', 'tfjs'],
  ['× jax-js', 'linearCrossEntropyGrad', 'ours', 'jax-js'],
  ['× all logits held', 'linearCrossEntropyGrad', 'ours', 'materialised'],
  ['with an eighth, × all logits held', 'linearCrossEntropyGrad', 'ours-chunked', 'materialised'],
];

/** How many times as fast as tfjs, jax-js, and the same kernels with memory for all logits, in linear layers. */
export function layerSummary(rows: readonly Row[]): Summary {
  const layers = rows.filter(({ op }) => isLinear(op));
  return {
    name: 'peers layers',
    head: ['adapter', 'rows × features × classes', ...LAYER_COLUMNS.map(([head]) => head)],
    rows: PLACES.flatMap((place) => {
      const there = layers.filter(({ adapter }) => adapter.name === place);
      return shapesOf(there).map((shape) => [
        place,
        shape,
        ...LAYER_COLUMNS.map(([, op, who, rival]) => {
          const ratio = ratiosOf(there, op, shape, who)[rival];
          return ratio ? comparison(ratio) : NONE;
        }),
      ]);
    }),
  };
}

/** All tables that README.md has. */
export function summaries(rows: readonly Row[]): readonly Summary[] {
  return [...rowSummaries(rows), layerSummary(rows)];
}

/** All of them, as README.md has them. */
export function formatSummaries(rows: readonly Row[]): string {
  return summaries(rows)
    .map(({ name, head, rows: lines }) => `<!-- check: ${name} -->\n${markdownTable(head, lines)}`)
    .join('\n\n');
}

function shapesOf(rows: readonly Row[]): readonly string[] {
  return [...new Set(rows.map(shapeTextOf))];
}

function shapeTextOf(row: Row): string {
  return shapeText(shapeOfCase(row));
}

function ratiosOf(
  rows: readonly Row[],
  op: OpName,
  shape: string,
  who: string,
): NonNullable<Row['timing']>['ratios'] {
  const row = rows.find((each) => each.op === op && each.contender === who && shapeTextOf(each) === shape);
  return row?.timing?.ratios ?? {};
}
