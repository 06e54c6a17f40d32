// linearCrossEntropy: PyTorch's golden cases; and that neither chunks of rows nor stretches of classes change what they may not.

import { kernelFacts } from '../../src/cli/doctor/kernel.js';
import * as cpu from '../../src/cpu.js';
import {
  type Context,
  LimitExceededError,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
  type Policy,
  planLinearCrossEntropy,
  TargetOutOfRangeError,
  type Tensor,
} from '../../src/index.js';
import type { Golden, GoldenCase } from '../support/golden.js';
import { assert, equal, sameBits } from './assert.js';
import type { Check, Env } from './check.js';
import { comparison } from './compare.js';
import { input, linearOptionsOf } from './contract.js';
import { random } from './data.js';
import { contextOn, intercept } from './device.js';
import { type LinearProblem, linearBounds } from './linearBounds.js';
import { type Keep, numbers, rejection, withTensors } from './tensors.js';

/** The name of the golden op. */
export const LINEAR = 'fused_linear_cross_entropy';

export function linearCrossEntropyChecks(golden: Golden): Check[] {
  const cases = golden.cases.filter(({ op }) => op === LINEAR);
  if (cases.length === 0) throw new Error(`No golden cases: ${LINEAR}`);
  return [
    ...cases.map((entry) => ({
      name: `golden ${LINEAR} ${entry.name}`,
      run: (env: Env) => runGolden(entry, env),
    })),
    { name: 'linear cross-entropy: chunks of rows change no row', run: chunks },
    { name: 'linear cross-entropy: stretches of classes', run: stretches },
    { name: 'linear cross-entropy: through workgroup memory, sums in parts', run: staged },
    { name: 'linear cross-entropy: with and without subgroups', run: withAndWithoutSubgroups },
    { name: 'linear cross-entropy: 16 bits', run: halves },
    { name: 'linear cross-entropy: ignored rows, whatever they hold', run: ignoredRows },
    { name: 'linear cross-entropy: what is frozen costs nothing', run: frozen },
    { name: 'linear cross-entropy: no rows', run: noRows },
    { name: 'linear cross-entropy: a plan, step after step, in the scratch it says', run: plans },
    { name: 'linear cross-entropy: a target out of range', run: outOfRange },
    { name: 'linear cross-entropy: too little scratch', run: tooLittle },
  ];
}

async function runGolden(golden: GoldenCase, env: Env): Promise<void> {
  const problem = goldenProblem(golden);
  const { hidden, weight, targets, shape, options } = problem;
  const [rows, features, classes] = shape;
  await withTensors(async (keep) => {
    const { ctx } = env;
    const { grad: _, ...rest } = options;
    const result = await linearCrossEntropy(
      keep(ctx.tensor(hidden, [rows, features])),
      keep(ctx.tensor(weight, [classes, features])),
      targets,
      { ...(rest as LinearCrossEntropyOptions), grad: true },
    );
    for (const tensor of Object.values(result)) keep(tensor as Tensor);
    const bounds = linearBounds(problem, kernelFacts(ctx, 1));
    const compare = comparison(golden, env.ledger);
    await compare('linear loss', 'loss', result.loss, bounds.loss);
    await compare('linear gradient (hidden)', 'grad_hidden', result.gradHidden as Tensor, bounds.gradHidden);
    await compare('linear gradient (weight)', 'grad_weight', result.gradWeight as Tensor, bounds.gradWeight);
    assert(
      (result.gradBias === undefined) === (options.bias === undefined),
      'a gradient of the bias, or none',
    );
    if (result.gradBias)
      await compare('linear gradient (bias)', 'grad_bias', result.gradBias, bounds.gradBias);
  });
}

function goldenProblem(golden: GoldenCase): LinearProblem {
  const [rows, features] = input(golden, 'hidden').shape as [number, number];
  const [classes] = input(golden, 'weight').shape as [number];
  return {
    hidden: input(golden, 'hidden').data as Float32Array<ArrayBuffer>,
    weight: input(golden, 'weight').data as Float32Array<ArrayBuffer>,
    targets: input(golden, 'target').data as Int32Array<ArrayBuffer>,
    shape: [rows, features, classes],
    options: linearOptionsOf(golden),
  };
}

/** Spiky data: a few features and classes far larger than the rest. */
export function problemOf(
  [rows, features, classes]: readonly [number, number, number],
  options: cpu.LinearCrossEntropyOptions = {},
): LinearProblem {
  const next = random(rows * 31 + features * 7 + classes);
  const values = (count: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: count }, () => (next() < 0.05 ? 8 : 1) * (2 * next() - 1));
  const targets = Int32Array.from({ length: rows }, (_, r) =>
    r % 5 === 3 ? -100 : Math.floor(next() * classes),
  );
  return {
    hidden: values(rows * features),
    weight: values(classes * features),
    targets,
    shape: [rows, features, classes],
    options,
  };
}

/** All results of a problem as arrays. */
export async function run(
  ctx: Context,
  { hidden, weight, targets, shape: [rows, features, classes], options }: LinearProblem,
  more: LinearCrossEntropyOptions = {},
  dtype?: 'f16' | 'bf16',
): Promise<Record<string, Float32Array>> {
  return withTensors(async (keep) => {
    const { grad: _, ...rest } = options;
    const result = await linearCrossEntropy(
      keep(ctx.tensor(hidden, [rows, features], dtype)),
      keep(ctx.tensor(weight, [classes, features], dtype)),
      targets,
      { ...(rest as LinearCrossEntropyOptions), grad: true, ...more },
    );
    const values: Record<string, Float32Array> = {};
    for (const [name, tensor] of Object.entries(result)) values[name] = await numbers(keep(tensor as Tensor));
    return values;
  });
}

/** Compares all results with the oracle's, under their bounds. */
export function compareAll(
  env: Env,
  problem: LinearProblem,
  results: Record<string, Float32Array>,
  where: string,
): void {
  const { hidden, weight, targets, shape, options } = problem;
  const exact = cpu.linearCrossEntropy(hidden, weight, targets, shape, { ...options, grad: true });
  const bounds = linearBounds(problem, kernelFacts(env.ctx, 1));
  for (const name of ['loss', 'gradHidden', 'gradWeight', 'gradBias'] as const) {
    const [actual, expected] = [results[name], exact[name]];
    assert((actual === undefined) === (expected === undefined), `${where}: ${name} is there or not`);
    if (actual && expected) {
      env.ledger.checkAll(
        `linear ${name === 'loss' ? 'loss' : `gradient (${name.slice(4).toLowerCase()})`}`,
        actual,
        expected,
        bounds[name],
        `${where} ${name}`,
      );
    }
  }
}

/** Rows whose classes are no multiple of four, in chunks that are no multiple of a tile. */
async function chunks(env: Env): Promise<void> {
  const options = { reduction: 'none', labelSmoothing: 0.1, bias: random01(1003) } as const;
  const problem = problemOf([37, 12, 1003], options);
  const whole = await run(env.ctx, problem);
  compareAll(env, problem, whole, 'one chunk');
  for (const maxScratchBytes of [9_000, 30_000, 80_000]) {
    const parts = await run(env.ctx, problem, { maxScratchBytes });
    for (const name of ['loss', 'gradHidden']) {
      sameBits(
        parts[name] as Float32Array,
        whole[name] as Float32Array,
        `${name}, ${maxScratchBytes} bytes of scratch`,
      );
    }
    compareAll(env, problem, parts, `${maxScratchBytes} bytes of scratch`);
  }
}

export function random01(count: number): Float32Array<ArrayBuffer> {
  const next = random(count);
  return Float32Array.from({ length: count }, () => 2 * next() - 1);
}

/** Bindings of 4 KiB: of a matrix of weights some dozen classes at a time. */
async function stretches(env: Env): Promise<void> {
  if (env.ctx.device === undefined) return;
  const ctx = await contextOn(env, {
    limits: (own) => intercept(own, { maxStorageBufferBindingSize: () => 4096 }),
  });
  try {
    const problem = problemOf([6, 20, 301], { bias: random01(301), zLoss: 0.01 });
    compareAll(env, problem, await run(ctx, problem), 'bindings of 4 KiB');
  } finally {
    ctx.destroy();
  }
}

/** Tiles in workgroup memory, as on hardware; two thousand classes are added up in several parts. Lines of whole groups of four, and others. */
async function staged(env: Env): Promise<void> {
  for (const shape of [
    [20, 8, 2100],
    [3, 5, 2051],
  ] as const) {
    const problem = problemOf(shape, { bias: random01(shape[2]) });
    const results = await run(env.ctx, problem, { policy: { staged: true } });
    compareAll(env, problem, results, `staged [${shape}]`);
    const parts = await run(env.ctx, problem, { policy: { staged: true }, maxScratchBytes: 100_000 });
    for (const name of ['loss', 'gradHidden']) {
      sameBits(parts[name] as Float32Array, results[name] as Float32Array, `${name}, staged, in chunks`);
    }
  }
  if (env.ctx.device === undefined) return;
  const kernels = await kernelsOf(env.ctx, { staged: true });
  assert(
    kernels.some((kernel) => kernel.startsWith('sum-of-parts/')),
    'sums are in parts',
  );
  assert(
    kernels.some((kernel) => kernel.includes('/staged@')),
    'tiles are staged',
  );
}

/** Tiles straight from the operands, where threads may have from their subgroup what all of them need: bit for bit. */
async function withAndWithoutSubgroups({ ctx }: Env): Promise<void> {
  for (const [shape, options] of [
    [[20, 8, 404], {}],
    [[13, 7, 51], {}],
    [[20, 8, 404], { gradFilter: 2 ** -8 }],
  ] as const) {
    const problem = problemOf(shape);
    const alone = await run(ctx, problem, { ...options, policy: { staged: false, subgroups: false } });
    const shared = await run(ctx, problem, { ...options, policy: { staged: false, subgroups: true } });
    for (const [name, values] of Object.entries(alone))
      sameBits(shared[name] as Float32Array, values, `${name} [${shape}]`);
  }
  if (ctx.device === undefined) return;
  const kernels = await kernelsOf(ctx, { staged: false });
  // All threads of a workgroup must be in whole subgroups of at least four.
  const { features, subgroupMinSize, subgroupMaxSize } = ctx.info;
  const fit = features.includes('subgroups') && subgroupMinSize >= 4 && subgroupMaxSize <= 8;
  equal(
    kernels.some((kernel) => kernel.includes('/subgroup/')),
    fit,
    'subgroups are used',
  );
}

async function kernelsOf(ctx: Context, policy: Partial<Policy>): Promise<readonly string[]> {
  const plan = await planLinearCrossEntropy(ctx, { shape: [20, 8], classes: 2100, grad: true, policy });
  plan.destroy();
  return plan.passes
    .map(({ variant }) => variant)
    .filter((variant) => /^(product|sum-of-parts)/.test(variant));
}

async function halves(env: Env): Promise<void> {
  for (const dtype of ['f16', 'bf16'] as const) {
    for (const shape of [
      [9, 8, 21],
      [5, 7, 18],
    ] as const) {
      const problem = problemOf(shape);
      // What the tensors hold is what is computed with.
      const [hidden, weight] = await withTensors(async (keep) => [
        await numbers(keep(env.ctx.tensor(problem.hidden, [problem.hidden.length], dtype))),
        await numbers(keep(env.ctx.tensor(problem.weight, [problem.weight.length], dtype))),
      ]);
      const rounded = {
        ...problem,
        hidden: hidden as Float32Array<ArrayBuffer>,
        weight: weight as Float32Array<ArrayBuffer>,
      };
      compareAll(env, rounded, await run(env.ctx, rounded, {}, dtype), `${dtype} [${shape}]`);
    }
  }
}

async function ignoredRows(env: Env): Promise<void> {
  const problem = problemOf([8, 6, 40]);
  const clean = await run(env.ctx, problem);
  const hidden = problem.hidden.slice();
  for (const [r, target] of problem.targets.entries()) {
    if (target === -100) hidden.fill(r === 3 ? Number.NaN : Number.POSITIVE_INFINITY, r * 6, (r + 1) * 6);
  }
  const dirty = await run(env.ctx, { ...problem, hidden });
  for (const name of ['loss', 'gradHidden', 'gradWeight']) {
    sameBits(dirty[name] as Float32Array, clean[name] as Float32Array, name);
  }
  for (const [r, target] of problem.targets.entries()) {
    const row = (clean['gradHidden'] as Float32Array).subarray(r * 6, (r + 1) * 6);
    assert((target === -100) === row.every((value) => value === 0), `gradient of row ${r}`);
  }
  // Not even a class that no product survives.
  const weight = problem.weight.slice().fill(Number.NaN, 6, 12);
  const broken = await run(env.ctx, { ...problem, weight });
  for (const [r, target] of problem.targets.entries()) {
    const row = (broken['gradHidden'] as Float32Array).subarray(r * 6, (r + 1) * 6);
    assert(
      row.every((value) => (target === -100 ? value === 0 : Number.isNaN(value))),
      `row ${r}, NaN weights`,
    );
  }
}

async function frozen(env: Env): Promise<void> {
  const problem = problemOf([8, 6, 40], { bias: random01(40) });
  const whole = await run(env.ctx, problem);
  for (const off of ['gradHidden', 'gradWeight', 'gradBias'] as const) {
    const part = await run(env.ctx, problem, { [off]: false });
    assert(!(off in part), `${off} is false, and there`);
    for (const name of Object.keys(whole).filter((other) => other !== off)) {
      sameBits(part[name] as Float32Array, whole[name] as Float32Array, `${name} without ${off}`);
    }
  }
  const none = await run(env.ctx, problem, { grad: false, returnLogSumExp: true });
  assert(Object.keys(none).sort().join() === 'logSumExp,loss', `without gradients: ${Object.keys(none)}`);
  if (env.ctx.device === undefined) return;
  const products = async (terms: {
    gradHidden?: boolean;
    gradWeight?: boolean;
    grad?: boolean;
  }): Promise<number> => {
    const plan = await planLinearCrossEntropy(env.ctx, { shape: [8, 6], classes: 40, grad: true, ...terms });
    const count = plan.passes.filter(({ variant }) => variant.startsWith('product/')).length;
    plan.destroy();
    return count;
  };
  assert((await products({})) === 3, 'all gradients: three products');
  assert((await products({ gradHidden: false })) === 2, 'frozen hidden states: two');
  assert((await products({ gradWeight: false })) === 2, 'frozen weights: two');
  assert((await products({ grad: false })) === 1, 'no gradient: one');
}

async function noRows(env: Env): Promise<void> {
  const problem = {
    ...problemOf([1, 6, 40]),
    hidden: new Float32Array(0),
    targets: new Int32Array(0),
    shape: [0, 6, 40] as const,
  };
  const mean = await run(env.ctx, problem);
  assert(Number.isNaN(mean['loss']?.[0]), 'a mean over no rows is NaN');
  assert(mean['gradHidden']?.length === 0, 'no rows, no gradient of them');
  assert(
    (mean['gradWeight'] as Float32Array).every((value) => value === 0),
    'no rows move no weight',
  );
  const sum = await run(env.ctx, problem, { reduction: 'sum' });
  assert(sum['loss']?.[0] === 0, 'a sum over no rows is 0');
  // Rows that are all ignored are no rows, either, and have no z-loss to divide by their number.
  const ignored = { ...problemOf([3, 6, 40], { zLoss: 0.01 }), targets: Int32Array.of(-100, -100, -100) };
  const { loss, ...gradients } = await run(env.ctx, ignored);
  assert(Number.isNaN(loss?.[0]), 'a mean over ignored rows is NaN');
  for (const [name, values] of Object.entries(gradients)) {
    assert(
      values.every((value) => value === 0),
      `${name} of ignored rows is not 0`,
    );
  }
}

/** What a plan of the problem binds: without a bias, a mean, all gradients. */
export function planBindings(ctx: Context, problem: LinearProblem, keep: Keep) {
  const [rows, features, classes] = problem.shape;
  const zeros = (...shape: number[]): Tensor =>
    keep(ctx.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape));
  return {
    hidden: keep(ctx.tensor(problem.hidden, [rows, features])),
    weight: keep(ctx.tensor(problem.weight, [classes, features])),
    targets: keep(ctx.tensor(problem.targets, [rows])),
    loss: zeros(),
    gradHidden: zeros(rows, features),
    gradWeight: zeros(classes, features),
  };
}

async function plans(env: Env): Promise<void> {
  const maxScratchBytes = 40_000;
  const problem = problemOf([30, 8, 777]);
  const { ctx } = env;
  const [rows, features, classes] = problem.shape;
  await withTensors(async (keep) => {
    const plan = await planLinearCrossEntropy(ctx, {
      shape: [rows, features],
      classes,
      grad: true,
      maxScratchBytes,
    });
    try {
      assert(plan.scratchBytes <= maxScratchBytes, `${plan.scratchBytes} bytes of scratch`);
      assert(ctx.device === undefined || plan.scratchBytes > maxScratchBytes / 2, 'scratch is made use of');
      const bindings = planBindings(ctx, problem, keep);
      const expected = await run(ctx, problem, { maxScratchBytes });
      for (const step of [1, 2]) {
        const encoder = ctx.device?.createCommandEncoder();
        plan.encode(encoder, bindings);
        if (encoder) ctx.device?.queue.submit([encoder.finish()]);
        // Nothing is left of the step before: gradients are written, not added to.
        for (const name of ['loss', 'gradHidden', 'gradWeight'] as const) {
          sameBits(await numbers(bindings[name]), expected[name] as Float32Array, `${name}, step ${step}`);
        }
      }
    } finally {
      plan.destroy();
    }
  });
}

async function outOfRange(env: Env): Promise<void> {
  const problem = problemOf([5, 4, 9]);
  problem.targets[2] = 9;
  await withTensors(async (keep) => {
    const { loss } = await linearCrossEntropy(
      keep(env.ctx.tensor(problem.hidden, [5, 4])),
      keep(env.ctx.tensor(problem.weight, [9, 4])),
      problem.targets,
    );
    const error = await rejection(keep(loss).read());
    assert(
      error instanceof TargetOutOfRangeError && error.row === 2 && error.value === 9,
      `not ${String(error)}`,
    );
  });
}

async function tooLittle(env: Env): Promise<void> {
  if (env.ctx.device === undefined) return;
  const problem = problemOf([5, 4, 900]);
  const error = await rejection(run(env.ctx, problem, { maxScratchBytes: 3000 }));
  assert(
    error instanceof LimitExceededError && /maxScratchBytes/.test(error.message),
    `not ${String(error)}`,
  );
}
