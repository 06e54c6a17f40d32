// Every golden case through the public API, compared with PyTorch's float64 result under the derived bounds.

import { kernelFacts } from '../../src/cli/doctor/kernel.js';
import * as cpu from '../../src/cpu.js';
import {
  type Context,
  crossEntropy,
  InvalidArgumentError,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  logSumExpGrad,
  softmax,
  softmaxGrad,
  TargetOutOfRangeError,
  type Tensor,
} from '../../src/index.js';
import { type Layout, rowShape } from '../../src/shape.js';
import {
  gradOutputSum,
  logProbabilityBound,
  logSoftmaxGradBound,
  logSumExpBound,
  logSumExpGradBound,
  probabilityBound,
  type RowFacts,
  softmaxGradBound,
  softmaxGradFacts,
  type WeightedSum,
} from '../support/bounds.js';
import type { Golden, GoldenCase } from '../support/golden.js';
import type { Check, Env } from './check.js';
import { comparison } from './compare.js';
import { crossEntropyOptionsOf, expectationOf, goldenLayout, input } from './contract.js';
import { crossEntropyBounds } from './crossEntropyBounds.js';
import { matrix, stored } from './quantised.js';
import { CaseRows, type Transform } from './rows.js';
import { expectShape, type Keep, numbers, rejection, withTensors } from './tensors.js';

type Runner = (golden: GoldenCase, env: Env) => Promise<void>;

const RUNNERS: Record<string, Runner> = {
  softmax: runSoftmax,
  log_softmax: runLogSoftmax,
  logsumexp: runLogSumExp,
  cross_entropy: runCrossEntropy,
  cross_entropy_full: runCrossEntropy,
};

/** The golden ops that the library has all options of. `cross_entropy_full` needs temperature, softcap and z-loss too. */
const OPS = ['softmax', 'log_softmax', 'logsumexp', 'cross_entropy', 'cross_entropy_full'];

/** Of a case: how it runs, f32 or 16 bits. */
export const GOLDEN_RUNNERS: Readonly<Record<string, Runner>> = RUNNERS;

/** One check for each golden case of these ops. */
export function goldenChecks(golden: Golden, ops: readonly string[] = OPS): Check[] {
  return ops.flatMap((op) => {
    const run = RUNNERS[op];
    const cases = golden.cases.filter((entry) => entry.op === op);
    if (!run || cases.length === 0) throw new Error(`No golden cases, or no way to run them: ${op}`);
    return cases.map((entry) => ({ name: `golden ${op} ${entry.name}`, run: (env: Env) => run(entry, env) }));
  });
}

async function runSoftmax(golden: GoldenCase, env: Env): Promise<void> {
  await withTensors(async (keep) => {
    const { shape, axis } = goldenLayout(golden);
    const logits = input(golden, 'logits').data as Float32Array;
    const upstream = input(golden, 'grad_output').data as Float32Array;
    const output = keep(await softmax(keep(matrix(env.ctx, golden, logits, shape)), { axis }));
    const grad = keep(await softmaxGrad(output, keep(matrix(env.ctx, golden, upstream, shape)), { axis }));

    const rows = caseRows(golden, env.ctx);
    // The gradient is made from the probabilities as they were stored.
    const given = (row: RowFacts, k: number): number =>
      stored(golden, row.probs[k] as number, probabilityBound(row, k));
    const sums = perRow(rows, upstream, (row, g) => softmaxGradFacts(row, g, (k) => given(row, k)));
    const compare = comparison(golden, env.ledger);
    await compare('softmax', 'output', output, (i) => probabilityBound(rows.at(i), rows.classOf(i)));
    await compare('softmax gradient', 'grad_logits', grad, (i) => {
      const row = rows.at(i);
      const sum = sums(rows.rowOf(i));
      return softmaxGradBound(row, rows.classOf(i), upstream[i] as number, sum, (k) => given(row, k));
    });
  });
}

async function runLogSoftmax(golden: GoldenCase, env: Env): Promise<void> {
  await withTensors(async (keep) => {
    const { shape, axis } = goldenLayout(golden);
    const logits = input(golden, 'logits').data as Float32Array;
    const upstream = input(golden, 'grad_output').data as Float32Array;
    const output = keep(await logSoftmax(keep(matrix(env.ctx, golden, logits, shape)), { axis }));
    const grad = keep(await logSoftmaxGrad(output, keep(matrix(env.ctx, golden, upstream, shape)), { axis }));

    const rows = caseRows(golden, env.ctx);
    const sums = perRow(rows, upstream, gradOutputSum);
    const compare = comparison(golden, env.ledger);
    await compare('log-softmax', 'output', output, (i) => logProbabilityBound(rows.at(i), rows.classOf(i)));
    await compare('log-softmax gradient', 'grad_logits', grad, (i) => {
      const row = rows.at(i);
      const sum = sums(rows.rowOf(i));
      return logSoftmaxGradBound(row, rows.classOf(i), upstream[i] as number, sum, (k) =>
        stored(golden, Math.log(row.probs[k] as number), logProbabilityBound(row, k)),
      );
    });
  });
}

async function runLogSumExp(golden: GoldenCase, env: Env): Promise<void> {
  await withTensors(async (keep) => {
    const layout = goldenLayout(golden);
    const { shape, axis } = layout;
    const keepDims = golden.options.keepdim ?? false;
    const logits = input(golden, 'logits').data as Float32Array;
    const upstream = input(golden, 'grad_output').data as Float32Array;
    const x = keep(matrix(env.ctx, golden, logits, shape));
    const lse = keep(await logSumExp(x, { axis, keepDims }));
    expectShape(lse, rowShape(layout, keepDims), golden.name);
    const plain = keepDims ? keep(await logSumExp(x, { axis })) : lse;
    const g = keep(env.ctx.tensor(upstream, rowShape(layout)));
    const grad = keep(await logSumExpGrad(x, plain, g, { axis }));

    const rows = caseRows(golden, env.ctx);
    const compare = comparison(golden, env.ledger);
    await compare('log-sum-exp', 'output', lse, (r) => logSumExpBound(rows.row(r)));
    await compare('log-sum-exp gradient', 'grad_logits', grad, (i) => {
      const row = rows.at(i);
      return logSumExpGradBound(row, rows.classOf(i), upstream[rows.rowOf(i)] as number, logSumExpBound(row));
    });
  });
}

async function runCrossEntropy(golden: GoldenCase, env: Env): Promise<void> {
  const expected = expectationOf(golden);
  await withTensors(async (keep) => {
    const layout = goldenLayout(golden);
    const logits = input(golden, 'logits').data as Float32Array;
    const target = input(golden, 'target');
    const options = crossEntropyOptionsOf(golden);
    const { gradOutput } = options;
    const call = async () => {
      const result = await crossEntropy(
        keep(matrix(env.ctx, golden, logits, layout.shape)),
        keep(
          target.data instanceof Float32Array
            ? matrix(env.ctx, golden, target.data, target.shape)
            : env.ctx.tensor(target.data as Int32Array, target.shape),
        ),
        {
          ...options,
          gradOutput:
            typeof gradOutput === 'number' ? gradOutput : upstreamOf(gradOutput, layout, env.ctx, keep),
          grad: true,
          returnLogSumExp: true,
        },
      );
      for (const tensor of Object.values(result)) keep(tensor as Tensor);
      return result;
    };

    if (expected.kind === 'invalidArgument') {
      const error = await rejection(call());
      if (!(error instanceof InvalidArgumentError))
        throw new Error(`${golden.name}: InvalidArgumentError, not ${error}`);
      return;
    }
    const { loss, grad, gradTargets, logSumExp: lse } = await call();
    if (expected.kind === 'targetOutOfRange') {
      const error = await rejection(loss.read());
      if (
        !(error instanceof TargetOutOfRangeError) ||
        error.row !== expected.row ||
        error.value !== expected.value
      ) {
        throw new Error(`${golden.name}: TargetOutOfRangeError of row ${expected.row}, not ${error}`);
      }
      return;
    }
    if (!grad || !lse) throw new Error(`${golden.name}: a result that was asked for is missing`);
    expectShape(loss, options.reduction === 'none' ? rowShape(layout) : [], golden.name);
    expectShape(grad, layout.shape, golden.name);
    expectShape(lse, rowShape(layout), golden.name);

    const rows = caseRows(golden, env.ctx, options);
    const bounds = crossEntropyBounds(rows, target.data, options);
    const compare = comparison(golden, env.ledger);
    await compare('cross-entropy loss', 'loss', loss, bounds.loss);
    await compare('cross-entropy gradient', 'grad_logits', grad, bounds.grad);
    if (expected.outputs['grad_target']) {
      if (!gradTargets) throw new Error(`${golden.name}: no gradTargets`);
      await compare('cross-entropy target gradient', 'grad_target', gradTargets, bounds.gradTargets);
    }
    // PyTorch gives no log-sum-exp here; the float64 implementation does, which its own tests hold against PyTorch.
    const exact = cpu.crossEntropy(logits, target.data, layout.shape, options).logSumExp;
    const where = `${golden.name} logSumExp`;
    env.ledger.checkAll('log-sum-exp', await numbers(lse), exact, (r) => logSumExpBound(rows.row(r)), where);
  });
}

/** The exact facts of a case's rows, and of the kernels that the context chooses for them. */
function caseRows(golden: GoldenCase, ctx: Context, options: Transform = {}): CaseRows {
  const layout = goldenLayout(golden);
  const logits = input(golden, 'logits').data;
  return new CaseRows(layout, logits, options, kernelFacts(ctx, layout.inner));
}

/** One value a row: as the caller's array where that is allowed, otherwise as a tensor. */
function upstreamOf(values: Float32Array, layout: Layout, ctx: Context, keep: Keep): Float32Array | Tensor {
  const shape = rowShape(layout);
  return shape.length === 1 ? values : keep(ctx.tensor(values, shape));
}

/** Facts of each row that take its whole upstream gradient, made when first asked for. */
function perRow(
  rows: CaseRows,
  upstream: Float32Array,
  make: (row: RowFacts, gradOutput: Float64Array) => WeightedSum,
): (r: number) => WeightedSum {
  const made: WeightedSum[] = [];
  return (r) => {
    made[r] ??= make(rows.row(r), rows.read(upstream, r));
    return made[r] as WeightedSum;
  };
}
