// One call of logitStats on any rows, compared with the float64 implementation: indices exactly, values under the derived bounds.

import { rowStart } from '../../src/cpu/row.js';
import * as cpu from '../../src/cpu.js';
import { type Context, type LogitStatsResult, logitStats, type Tensor } from '../../src/index.js';
import { rowShape } from '../../src/shape.js';
import { entropyFacts, logProbabilityBound, logSumExpBound } from '../support/bounds.js';
import { assert, equal } from './assert.js';
import type { Env } from './check.js';
import { type RowsCase, rowsOf } from './opChecks.js';
import { expectShape, type Keep, numbers, withTensors } from './tensors.js';

export interface StatsCase extends RowsCase {
  readonly targets?: Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | undefined;
  readonly topK?: number | undefined;
}

/** The tensors of a result by the names that a plan has for them. */
export function tensorsOf(result: LogitStatsResult): Record<string, Tensor> {
  const { topK, ...perRow } = result;
  return {
    ...(perRow as Record<string, Tensor>),
    ...(topK === undefined ? {} : { topKValues: topK.values, topKIndices: topK.indices }),
  };
}

export async function runStats(
  ctx: Context,
  keep: Keep,
  { layout, logits, targets, topK, policy = {} }: StatsCase,
): Promise<Record<string, Tensor>> {
  const { shape, axis } = layout;
  const given = targets === undefined ? undefined : keep(ctx.tensor(targets, rowShape(layout)));
  const options = { axis, policy, ...(topK === undefined ? {} : { topK }) };
  const made = tensorsOf(await logitStats(keep(ctx.tensor(logits, shape)), given, options));
  for (const tensor of Object.values(made)) keep(tensor);
  return made;
}

/** `logitStats` with all that it gives. Targets out of range are not for here: `read()` would reject. */
export async function checkLogitStats(env: Env, of: StatsCase): Promise<void> {
  await withTensors(async (keep) => {
    const { layout, logits, targets, topK, where } = of;
    const { shape, axis } = layout;
    const made = await runStats(env.ctx, keep, of);
    const exact = cpu.logitStats(logits, targets, shape, { axis, topK });
    const results = [
      'logSumExp',
      'entropy',
      'argmax',
      ...(targets === undefined ? [] : ['targetLogProb', 'targetRank']),
      ...(topK === undefined ? [] : ['topKValues', 'topKIndices']),
    ];
    equal(Object.keys(made).sort().join(), results.sort().join(), `${where}: the results`);
    for (const [name, tensor] of Object.entries(made)) {
      const perRow = rowShape(layout);
      expectShape(tensor, name.startsWith('topK') ? [...perRow, topK as number] : perRow, `${where} ${name}`);
    }

    const rows = rowsOf(env, of);
    const floats = async (name: string): Promise<Float32Array> => numbers(made[name] as Tensor);
    env.ledger.checkAll(
      'log-sum-exp',
      await floats('logSumExp'),
      exact.logSumExp,
      (r) => logSumExpBound(rows.row(r)),
      `${where} logSumExp`,
    );
    env.ledger.checkAll(
      'entropy',
      await floats('entropy'),
      exact.entropy,
      (r) => entropyFacts(rows.row(r)).error,
      `${where} entropy`,
    );
    await sameIndices(made['argmax'], exact.argmax, `${where} argmax`);
    if (targets !== undefined) {
      env.ledger.checkAll(
        'target log-probability',
        await floats('targetLogProb'),
        exact.targetLogProb as Float64Array,
        (r) => logProbabilityBound(rows.row(r), targets[r] as number),
        `${where} targetLogProb`,
      );
      await sameIndices(made['targetRank'], exact.targetRank as Int32Array, `${where} targetRank`);
    }
    if (exact.topK !== undefined) {
      const { indices } = exact.topK;
      await sameIndices(made['topKIndices'], indices, `${where} topKIndices`);
      const words = new Uint32Array(logits.buffer, logits.byteOffset, logits.length);
      const values = await floats('topKValues');
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      for (const [i, index] of indices.entries()) {
        const what = `${where} topKValues[${i}]`;
        if (index < 0) {
          assert(Number.isNaN(values[i]), `${what} of a row with a NaN is ${values[i]}`);
          continue;
        }
        const r = Math.floor(i / (topK as number));
        equal(bits[i], words[rowStart(layout, r) + index * layout.inner], `${what}, as bits,`);
      }
    }
  });
}

async function sameIndices(tensor: Tensor | undefined, expected: Int32Array, what: string): Promise<void> {
  const actual = await (tensor as Tensor).read();
  assert(actual instanceof Int32Array, `${what} is a ${actual.constructor.name}`);
  equal(actual.length, expected.length, `${what}: the length`);
  expected.forEach((index, i) => {
    equal(actual[i], index, `${what}[${i}]`);
  });
}
