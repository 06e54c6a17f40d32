// The golden cases of the losses and measures beyond cross-entropy, through the public API, under the derived bounds.

import { kernelFacts } from '../../src/cli/doctor/kernel.js';
import * as cpu from '../../src/cpu.js';
import type { FloatDType } from '../../src/dtype.js';
import {
  binaryCrossEntropy,
  type Context,
  entropy,
  klDivergence,
  nllLoss,
  TargetOutOfRangeError,
  type Tensor,
} from '../../src/index.js';
import { rowShape } from '../../src/shape.js';
import {
  type BinaryElement,
  binaryGradientBound,
  binaryLoss,
  binaryTargetGradientBound,
  divisorError,
  type EntropyFacts,
  entropyFacts,
  entropyGradientBound,
  type GradScale,
  type KernelFacts,
  meanBound,
  nllBound,
  scaleBound,
  scaleError,
  sumBound,
} from '../support/bounds.js';
import type { Golden, GoldenCase } from '../support/golden.js';
import type { Check, Env } from './check.js';
import { comparison } from './compare.js';
import {
  binaryOptionsOf,
  crossEntropyOptionsOf,
  elementFactor,
  expectationOf,
  goldenLayout,
  input,
  klOptionsOf,
} from './contract.js';
import { klBounds } from './klChecks.js';
import { matrix } from './quantised.js';
import { CaseRows } from './rows.js';
import { expectShape, type Keep, numbers, rejection, withTensors } from './tensors.js';

type Bound = (i: number) => number;
type Runner = (golden: GoldenCase, env: Env) => Promise<void>;

const RUNNERS: Readonly<Record<string, Runner>> = {
  nll_loss: runNllLoss,
  entropy: runEntropy,
  kl_div: runKlDivergence,
  kl_div_logits: runKlDivergence,
  bce_with_logits: runBinaryCrossEntropy,
};

/** Of a case: how it runs, f32 or 16 bits. */
export const MORE_GOLDEN_RUNNERS: Readonly<Record<string, Runner>> = RUNNERS;

/** One check for each golden case of these ops. */
export function moreGoldenChecks(golden: Golden): Check[] {
  return Object.entries(RUNNERS).flatMap(([op, run]) => {
    const cases = golden.cases.filter((entry) => entry.op === op);
    if (cases.length === 0) throw new Error(`No golden cases: ${op}`);
    return cases.map((entry) => ({ name: `golden ${op} ${entry.name}`, run: (env: Env) => run(entry, env) }));
  });
}

async function runNllLoss(golden: GoldenCase, env: Env): Promise<void> {
  const expected = expectationOf(golden);
  await withTensors(async (keep) => {
    const layout = goldenLayout(golden);
    const logProbs = input(golden, 'input').data as Float32Array<ArrayBuffer>;
    const target = input(golden, 'target');
    const { gradOutput, axis, reduction, weight, ignoreIndex = -100 } = crossEntropyOptionsOf(golden);
    const perRow = rowShape(layout);
    const { loss, grad } = keepAll(
      await nllLoss(
        keep(matrix(env.ctx, golden, logProbs, layout.shape)),
        keep(env.ctx.tensor(target.data as Int32Array<ArrayBuffer>, target.shape)),
        {
          axis,
          reduction,
          ignoreIndex,
          ...(weight && { weight }),
          gradOutput: upstreamOf(gradOutput, perRow, env.ctx, keep),
          grad: true,
        },
      ),
      keep,
    );
    if (expected.kind === 'targetOutOfRange') {
      const error = await rejection(loss.read());
      if (!(error instanceof TargetOutOfRangeError) || error.row !== expected.row) {
        throw new Error(`${golden.name}: TargetOutOfRangeError of row ${expected.row}, not ${error}`);
      }
      return;
    }
    const gradient = present(golden, grad);
    expectShape(loss, reduction === 'none' ? perRow : [], golden.name);
    expectShape(gradient, layout.shape, golden.name);

    const rows = caseRows(golden, env.ctx, logProbs);
    const kept = [...target.data.keys()].filter((r) => target.data[r] !== ignoreIndex);
    const weightOf = (r: number): number => (weight ? (weight[target.data[r] as number] as number) : 1);
    const lossOf = (r: number): number => {
      const at = target.data[r] as number;
      return at === ignoreIndex ? 0 : -weightOf(r) * (rows.read(logProbs, r)[at] as number);
    };
    const weights = kept.map(weightOf);
    const divisor = weights.reduce((sum, w) => sum + w, 0);
    const divisorOff = weight ? divisorError(weights, rows.kernel) : 0;
    const bounds = reduced(
      { reduction, rows: kept.length, divisor, divisorError: divisorOff, kernel: rows.kernel },
      (r) => lossOf(reduction === 'none' ? r : (kept[r] as number)),
      (value) => nllBound(value, weight !== undefined),
    );
    const compare = comparison(golden, env.ledger, referenceNoise(golden));
    await compare('nll loss', 'loss', loss, bounds);
    await compare('nll gradient', 'grad_input', gradient, (i) => {
      const r = rows.rowOf(i);
      if (rows.classOf(i) !== target.data[r]) return 0;
      const upstream = at(gradOutput, r);
      const mean = reduction === 'mean';
      return scaleBound({
        scale: (upstream * weightOf(r)) / (mean ? divisor : 1),
        error: scaleError({ upstream, weighted: weight !== undefined, mean, divisorError: divisorOff }),
      });
    });
  });
}

async function runEntropy(golden: GoldenCase, env: Env): Promise<void> {
  await withTensors(async (keep) => {
    const layout = goldenLayout(golden);
    const logits = input(golden, 'logits').data as Float32Array<ArrayBuffer>;
    const { gradOutput, axis, reduction } = crossEntropyOptionsOf(golden);
    const perRow = rowShape(layout);
    const result = keepAll(
      await entropy(keep(matrix(env.ctx, golden, logits, layout.shape)), {
        axis,
        reduction,
        gradOutput: upstreamOf(gradOutput, perRow, env.ctx, keep),
        grad: true,
      }),
      keep,
    );
    const gradient = present(golden, result.grad);
    expectShape(result.entropy, reduction === 'none' ? perRow : [], golden.name);
    expectShape(gradient, layout.shape, golden.name);

    const rows = caseRows(golden, env.ctx, logits);
    const facts = perRowOnce<EntropyFacts>((r) => entropyFacts(rows.row(r)));
    const compare = comparison(golden, env.ledger, referenceNoise(golden));
    const bounds = reduced(
      { reduction, rows: layout.rows, divisor: layout.rows, kernel: rows.kernel },
      (r) => facts(r).entropy,
      (_, r) => facts(r).error,
    );
    await compare('entropy', 'output', result.entropy, bounds);
    await compare('entropy gradient', 'grad_logits', gradient, (i) => {
      const r = rows.rowOf(i);
      const by = scaleOf(at(gradOutput, r), reduction, layout.rows);
      return entropyGradientBound(rows.row(r), rows.classOf(i), facts(r), by);
    });
  });
}

async function runKlDivergence(golden: GoldenCase, env: Env): Promise<void> {
  await withTensors(async (keep) => {
    const ofLogits = golden.op === 'kl_div_logits';
    const layout = goldenLayout(golden);
    const logits = input(golden, ofLogits ? 'student_logits' : 'logits').data as Float32Array<ArrayBuffer>;
    const target = input(golden, ofLogits ? 'teacher_logits' : 'target').data as Float32Array<ArrayBuffer>;
    const options = klOptionsOf(golden);
    const { gradOutput, reduction } = options;
    const perRow = rowShape(layout);
    const result = keepAll(
      await klDivergence(
        keep(matrix(env.ctx, golden, logits, layout.shape)),
        keep(matrix(env.ctx, golden, target, layout.shape)),
        { ...options, gradOutput: upstreamOf(gradOutput, perRow, env.ctx, keep), grad: true },
      ),
      keep,
    );
    const gradient = present(golden, result.grad);
    const targetGradient = present(golden, result.gradTarget);
    expectShape(result.divergence, reduction === 'none' ? perRow : [], golden.name);
    expectShape(gradient, layout.shape, golden.name);
    expectShape(targetGradient, layout.shape, golden.name);

    const bounds = klBounds(env, { layout, logits, target, choices: options });
    const ofElement = elementFactor(golden);
    const ofResult = reduction === 'none' ? () => 1 : ofElement;
    const name = `kl divergence (${options.target})`;
    // PyTorch has an upstream gradient for each element here; the float64 implementation, which its own tests hold against
    // PyTorch in that too, has one a row, as is here. Nor are 16-bit results to be rounded once more.
    const apart = reduction === 'none' && !input(golden, 'grad_output').data.every((g) => g === 1);
    const exact = cpu.klDivergence(logits, target, layout.shape, { ...options, grad: true });
    const compareExact = async (
      quantity: string,
      tensor: Tensor,
      values: Float64Array | undefined,
      bound: Bound,
    ) => {
      const where = `${golden.name} ${quantity}`;
      const dtype = tensor.dtype as FloatDType;
      env.ledger.checkAll(quantity, await numbers(tensor), values ?? [], bound, where, dtype);
    };
    const compare = comparison(golden, env.ledger, referenceNoise(golden));
    await compare(name, 'loss', result.divergence, bounds.divergence, ofResult);
    if (ofLogits) {
      await compare(`${name} target gradient`, 'grad_teacher_logits', targetGradient, bounds.gradTarget);
      await compare(`${name} gradient`, 'grad_student_logits', gradient, bounds.grad);
      return;
    }
    if (golden.dtype === undefined) {
      await compare(`${name} target gradient`, 'grad_target', targetGradient, bounds.gradTarget, ofElement);
    } else {
      await compareExact(`${name} target gradient`, targetGradient, exact.gradTarget, bounds.gradTarget);
    }
    if (apart || golden.dtype !== undefined) {
      await compareExact(`${name} gradient`, gradient, exact.grad, bounds.grad);
    } else {
      await compare(`${name} gradient`, 'grad_logits', gradient, bounds.grad, ofElement);
    }
  });
}

async function runBinaryCrossEntropy(golden: GoldenCase, env: Env): Promise<void> {
  await withTensors(async (keep) => {
    const { shape, data } = input(golden, 'logits');
    const targets = input(golden, 'target').data as Float32Array<ArrayBuffer>;
    const { gradOutput, reduction, weight, posWeight } = binaryOptionsOf(golden);
    const result = keepAll(
      await binaryCrossEntropy(
        keep(matrix(env.ctx, golden, data as Float32Array<ArrayBuffer>, shape)),
        keep(matrix(env.ctx, golden, targets, shape)),
        {
          reduction,
          ...(weight && { weight: keep(matrix(env.ctx, golden, weight, shape)) }),
          ...(posWeight && { posWeight }),
          gradOutput: upstreamOf(gradOutput, shape, env.ctx, keep),
          grad: true,
        },
      ),
      keep,
    );
    const gradient = present(golden, result.grad);
    const targetGradient = present(golden, result.gradTargets);
    expectShape(result.loss, reduction === 'none' ? shape : [], golden.name);
    expectShape(gradient, shape, golden.name);
    expectShape(targetGradient, shape, golden.name);

    const classes = shape.at(-1) as number;
    const count = data.length;
    const kernel = kernelFacts(env.ctx, 1);
    // A row's sum first, then the sum over rows.
    const depth = kernel.depth(classes) + kernel.rowsDepth(count / classes) + 1;
    const element = (i: number): BinaryElement => ({
      logit: data[i] as number,
      target: targets[i] as number,
      weight: weight?.[i],
      posWeight: posWeight?.[i % classes],
    });
    const bounds = reduced(
      { reduction, rows: count, divisor: count, kernel: { ...kernel, rowsDepth: () => depth } },
      (i) => binaryLoss(element(i), kernel).value,
      (_, i) => binaryLoss(element(i), kernel).error,
    );
    const scale = (i: number): GradScale => {
      const by = scaleOf(at(gradOutput, i), reduction, count, weight !== undefined);
      return { ...by, scale: by.scale * (weight ? (weight[i] as number) : 1) };
    };
    const compare = comparison(golden, env.ledger, referenceNoise(golden));
    await compare('binary cross-entropy', 'loss', result.loss, bounds);
    await compare('binary cross-entropy gradient', 'grad_logits', gradient, (i) =>
      binaryGradientBound(element(i), scale(i), kernel),
    );
    await compare('binary cross-entropy target gradient', 'grad_target', targetGradient, (i) =>
      binaryTargetGradientBound(element(i), scale(i), kernel),
    );
  });
}

/**
 * PyTorch's own rounding in float64, where terms as large as the logits cancel: a few 1e-15 of the input scale. That is
 * more than what a float32 of 1e-11 may be off by.
 */
function referenceNoise(golden: GoldenCase): number {
  const largest = (name: string): number => {
    let max = 1;
    for (const x of golden.inputs[name]?.data ?? []) {
      if (Number.isFinite(x)) max = Math.max(max, Math.abs(x));
    }
    return max;
  };
  const logits = Math.min(
    100,
    Math.max(largest('logits'), largest('student_logits'), largest('teacher_logits')),
  );
  return 4e-15 * logits * largest('grad_output') * largest('weight') * largest('pos_weight');
}

/** The bound of each value of a result for 'none', otherwise of the one value; `rows` are those that it is reduced from. */
function reduced(
  by: {
    readonly reduction: 'none' | 'mean' | 'sum';
    readonly rows: number;
    readonly divisor: number;
    readonly divisorError?: number;
    readonly kernel: KernelFacts;
  },
  value: (r: number) => number,
  bound: (value: number, r: number) => number,
): (i: number) => number {
  if (by.reduction === 'none') return (r) => bound(value(r), r);
  const values = Array.from({ length: by.rows }, (_, r) => value(r));
  const bounds = values.map(bound);
  const whole =
    by.reduction === 'sum'
      ? sumBound(values, bounds, by.kernel)
      : meanBound(values, bounds, by.divisor, by.divisorError, by.kernel);
  return () => whole;
}

function scaleOf(
  upstream: number,
  reduction: 'none' | 'mean' | 'sum',
  count: number,
  weighted = false,
): GradScale {
  const mean = reduction === 'mean';
  return { scale: mean ? upstream / count : upstream, error: scaleError({ upstream, weighted, mean }) };
}

function at(gradOutput: number | Float32Array, i: number): number {
  return typeof gradOutput === 'number' ? gradOutput : (gradOutput[i] as number);
}

/** As the caller's array where that is allowed, otherwise as a tensor. */
function upstreamOf(
  gradOutput: number | Float32Array<ArrayBuffer>,
  shape: readonly number[],
  ctx: Context,
  keep: Keep,
): number | Float32Array<ArrayBuffer> | Tensor {
  if (typeof gradOutput === 'number' || shape.length === 1) return gradOutput;
  return keep(ctx.tensor(gradOutput, shape));
}

function caseRows(
  golden: GoldenCase,
  ctx: Context,
  logits: Float32Array,
  temperature: number | undefined = undefined,
): CaseRows {
  const layout = goldenLayout(golden);
  return new CaseRows(layout, logits, { temperature }, kernelFacts(ctx, layout.inner));
}

/** Facts of a row, made when first asked for. */
function perRowOnce<T>(make: (r: number) => T): (r: number) => T {
  const made = new Map<number, T>();
  return (r) => {
    const known = made.get(r) ?? make(r);
    made.set(r, known);
    return known;
  };
}

function keepAll<T extends object>(result: T, keep: Keep): T {
  for (const tensor of Object.values(result)) keep(tensor as Tensor);
  return result;
}

function present(golden: GoldenCase, tensor: Tensor | undefined): Tensor {
  if (!tensor) throw new Error(`${golden.name}: a result that was asked for is missing`);
  return tensor;
}
