// The plans of all ops but those of plans.ts: each on its own bindings, with the bits of its op, and refusing what does not fit.

import {
  binaryCrossEntropy,
  type Context,
  entropy,
  InvalidArgumentError,
  logSoftmaxGrad,
  logSumExpGrad,
  nllLoss,
  type OpPlan,
  planBinaryCrossEntropy,
  planEntropy,
  planLogSoftmaxGrad,
  planLogSumExpGrad,
  planNllLoss,
  planSoftmaxGrad,
  type Reduction,
  softmaxGrad,
  TargetOutOfRangeError,
  type Tensor,
  type TypedArray,
} from '../../src/index.js';
import {
  type Attempt,
  check,
  equal,
  gpuCheck,
  type Keep,
  refusesAll,
  rejects,
  sameBits,
  show,
} from './assert.js';
import type { Check } from './check.js';
import { foreignBuffer } from './device.js';
import { refusalCheck } from './errors.js';
import { blank, embedded, extract, probabilities, SENTINEL, sizeOf, step, values } from './plans.js';

/** Everything that these plans promise. */
export function opPlanChecks(): Check[] {
  return [
    ...CASES.map(sameBitsCheck),
    ...paddedChecks(),
    offsetCheck,
    ...bindingsChecks(),
    refusalCheck('plans: bad options of the other plans', 'rejects', optionAttempts),
    targetCheck,
    noRowsCheck,
    unwantedScratchCheck,
  ];
}

type Shape = readonly number[];
type Tensors = Readonly<Record<string, Tensor>>;
type AnyPlan = OpPlan<Tensors>;

/** An op as a plan and as a call. */
interface PlanCase {
  readonly name: string;
  readonly plan: (ctx: Context, options?: object) => Promise<AnyPlan>;
  /** What is read, by binding; the first is what `shape` and `rowStride` are about. */
  readonly inputs: Readonly<Record<string, readonly [TypedArray, Shape]>>;
  /** Shapes of what is written, by binding. */
  readonly results: Readonly<Record<string, Shape>>;
  /** The call; gives the results by binding. */
  readonly op: (inputs: Tensors) => Promise<object>;
}

/** Without the class axis. */
function rowsOf(shape: Shape, axis: number): number[] {
  return shape.filter((_, i) => i !== (axis < 0 ? axis + shape.length : axis));
}

function fromPlan(make: unknown, options: object): PlanCase['plan'] {
  const plan = make as (ctx: Context, options: object) => Promise<AnyPlan>;
  return (ctx, more) => plan(ctx, { ...options, ...more });
}

interface LossOptions {
  readonly axis?: number;
  readonly reduction?: Reduction;
  readonly grad?: boolean;
  readonly gradOutput?: number | Float32Array;
}

/** How a plan is told of an upstream gradient, and what it binds. */
function upstream(
  { reduction = 'mean', gradOutput }: LossOptions,
  shape: Shape,
  each = 'rows',
): { readonly option: object; readonly inputs: PlanCase['inputs'] } {
  if (gradOutput === undefined) return { option: {}, inputs: {} };
  if (typeof gradOutput === 'number') return { option: { gradOutput }, inputs: {} };
  const reduced = reduction !== 'none';
  return {
    option: { gradOutput: reduced ? 'scalar' : each },
    inputs: { gradOutput: [gradOutput, reduced ? [] : shape] },
  };
}

function nllCase(
  name: string,
  shape: Shape,
  targets: Int32Array | Uint32Array,
  options: LossOptions & { readonly weight?: Float32Array; readonly ignoreIndex?: number } = {},
): PlanCase {
  const { axis = -1, weight, gradOutput, ...terms } = options;
  const perRow = rowsOf(shape, axis);
  const { option, inputs } = upstream(options, perRow);
  return {
    name: `nllLoss, ${name}`,
    plan: fromPlan(planNllLoss, {
      shape,
      axis,
      ...terms,
      ...option,
      ...(targets instanceof Uint32Array ? { targetDtype: 'u32' } : {}),
      ...(weight === undefined ? {} : { weight: true }),
    }),
    inputs: {
      logProbs: [values(sizeOf(shape)), shape],
      targets: [targets, perRow],
      ...(weight === undefined ? {} : { weight: [weight, [weight.length]] }),
      ...inputs,
    },
    results: {
      loss: terms.reduction === 'none' ? perRow : [],
      ...(terms.grad === true ? { grad: shape } : {}),
    },
    op: (t) => {
      const given = { ...(t['weight'] && { weight: t['weight'] }), ...upstreamOfCall(t, gradOutput) };
      return nllLoss(t['logProbs'] as Tensor, t['targets'] as Tensor, { axis, ...terms, ...given });
    },
  };
}

function entropyCase(name: string, shape: Shape, options: LossOptions & { policy?: object } = {}): PlanCase {
  const { axis = -1, gradOutput, ...terms } = options;
  const perRow = rowsOf(shape, axis);
  const { option, inputs } = upstream(options, perRow);
  return {
    name: `entropy, ${name}`,
    plan: fromPlan(planEntropy, { shape, axis, ...terms, ...option }),
    inputs: { logits: [values(sizeOf(shape)), shape], ...inputs },
    results: {
      entropy: terms.reduction === 'none' ? perRow : [],
      ...(terms.grad === true ? { grad: shape } : {}),
    },
    op: (t) => entropy(t['logits'] as Tensor, { axis, ...terms, ...upstreamOfCall(t, gradOutput) }),
  };
}

function binaryCase(
  name: string,
  shape: Shape,
  options: LossOptions & {
    readonly weight?: boolean;
    readonly posWeight?: boolean;
    readonly gradTargets?: boolean;
  } = {},
): PlanCase {
  const { weight, posWeight, gradTargets, gradOutput, ...terms } = options;
  const { option, inputs } = upstream(options, shape, 'elements');
  const classes = shape.at(-1) ?? 1;
  return {
    name: `binaryCrossEntropy, ${name}`,
    plan: fromPlan(planBinaryCrossEntropy, {
      shape,
      ...terms,
      ...option,
      ...(weight === undefined ? {} : { weight }),
      ...(posWeight === undefined ? {} : { posWeight }),
      ...(gradTargets === undefined ? {} : { gradTargets }),
    }),
    inputs: {
      logits: [values(sizeOf(shape)), shape],
      targets: [values(sizeOf(shape), 2).map((x) => Math.abs(x) / 4), shape],
      ...(weight ? { weight: [values(sizeOf(shape), 3).map(Math.abs), shape] } : {}),
      ...(posWeight ? { posWeight: [values(classes, 4).map(Math.abs), [classes]] } : {}),
      ...inputs,
    },
    results: {
      loss: terms.reduction === 'none' ? shape : [],
      ...(terms.grad === true ? { grad: shape } : {}),
      ...(gradTargets === true ? { gradTargets: shape } : {}),
    },
    op: async (t) => {
      const given = {
        ...(t['weight'] && { weight: t['weight'] }),
        ...(t['posWeight'] && { posWeight: t['posWeight'] }),
        ...upstreamOfCall(t, gradOutput),
      };
      const made = await binaryCrossEntropy(t['logits'] as Tensor, t['targets'] as Tensor, {
        ...terms,
        ...given,
      });
      if (gradTargets === true) return made;
      // The call always gives both gradients.
      const { gradTargets: unwanted, ...results } = made;
      unwanted?.destroy();
      return results;
    },
  };
}

/** The upstream gradient as the call takes it. */
function upstreamOfCall(
  { gradOutput }: Tensors,
  given: number | Float32Array | undefined,
): { readonly gradOutput?: number | Tensor } {
  if (given === undefined) return {};
  return { gradOutput: typeof given === 'number' ? given : (gradOutput as Tensor) };
}

function softmaxGradCase(shape: Shape, axis: number): PlanCase {
  const classes = shape.at(-1) as number;
  return {
    name: `softmaxGrad of [${shape}], axis ${axis}`,
    plan: fromPlan(planSoftmaxGrad, { shape, axis }),
    inputs: {
      probs: [probabilities(sizeOf(shape) / classes, classes), shape],
      gradOutput: [values(sizeOf(shape)), shape],
    },
    results: { grad: shape },
    op: async (t) => ({ grad: await softmaxGrad(t['probs'] as Tensor, t['gradOutput'] as Tensor, { axis }) }),
  };
}

function logSoftmaxGradCase(shape: Shape, axis: number): PlanCase {
  const classes = shape.at(-1) as number;
  const logProbs = probabilities(sizeOf(shape) / classes, classes).map(Math.log);
  return {
    name: `logSoftmaxGrad of [${shape}], axis ${axis}`,
    plan: fromPlan(planLogSoftmaxGrad, { shape, axis }),
    inputs: { logProbs: [logProbs, shape], gradOutput: [values(sizeOf(shape)), shape] },
    results: { grad: shape },
    op: async (t) => ({
      grad: await logSoftmaxGrad(t['logProbs'] as Tensor, t['gradOutput'] as Tensor, { axis }),
    }),
  };
}

function logSumExpGradCase(shape: Shape, axis: number, keepDims: boolean): PlanCase {
  const perRow = keepDims
    ? shape.map((size, i) => (i === (axis < 0 ? axis + shape.length : axis) ? 1 : size))
    : rowsOf(shape, axis);
  return {
    name: `logSumExpGrad of [${shape}], axis ${axis}${keepDims ? ', keepDims' : ''}`,
    plan: fromPlan(planLogSumExpGrad, { shape, axis, keepDims }),
    inputs: {
      logits: [values(sizeOf(shape)), shape],
      lse: [values(sizeOf(perRow), 2).map((x) => 5 + x), perRow],
      gradOutput: [values(sizeOf(perRow), 3), perRow],
    },
    results: { grad: shape },
    op: async (t) => ({
      grad: await logSumExpGrad(t['logits'] as Tensor, t['lse'] as Tensor, t['gradOutput'] as Tensor, {
        axis,
      }),
    }),
  };
}

const SHAPE: Shape = [3, 5];

/** One of each op, with all its bindings. */
const FULL: readonly PlanCase[] = [
  nllCase('none, weight, one gradOutput a row', SHAPE, Int32Array.of(1, -100, 4), {
    reduction: 'none',
    grad: true,
    weight: Float32Array.of(1, 2, 0.5, 0, 3),
    gradOutput: Float32Array.of(1, -2, 0.5),
  }),
  entropyCase('none, one gradOutput a row', SHAPE, {
    reduction: 'none',
    grad: true,
    gradOutput: Float32Array.of(1, -2, 0.5),
  }),
  binaryCase('none, weights, one gradOutput an element, both gradients', SHAPE, {
    reduction: 'none',
    grad: true,
    gradTargets: true,
    weight: true,
    posWeight: true,
    gradOutput: values(15, 5),
  }),
  softmaxGradCase(SHAPE, -1),
  logSoftmaxGradCase(SHAPE, -1),
  logSumExpGradCase(SHAPE, -1, false),
];

const CASES: readonly PlanCase[] = [
  ...FULL,
  nllCase('mean', [3, 8], Int32Array.of(1, 0, 7), { grad: true }),
  nllCase('mean, weight, a number for gradOutput', SHAPE, Uint32Array.of(1, 0, 4), {
    grad: true,
    weight: Float32Array.of(1, 2, 0.5, 0, 3),
    gradOutput: 3,
  }),
  nllCase('sum, u32, gradOutput in a tensor', [3, 8], Uint32Array.of(7, 0, 3), {
    reduction: 'sum',
    grad: true,
    ignoreIndex: 3,
    gradOutput: Float32Array.of(-1.5),
  }),
  nllCase('another axis', [2, 5, 3], Int32Array.of(0, 1, 2, 3, 4, -100), { axis: 1, grad: true }),
  nllCase('loss only', [3, 40], Int32Array.of(39, 0, 20)),
  entropyCase('mean', [3, 8], { grad: true, gradOutput: 2 }),
  entropyCase('sum, gradOutput in a tensor', SHAPE, {
    reduction: 'sum',
    grad: true,
    gradOutput: Float32Array.of(-1.5),
  }),
  entropyCase('another axis', [2, 5, 3], { axis: 1, grad: true, reduction: 'none' }),
  entropyCase('value only', [3, 40]),
  entropyCase('a split row', [2, 300], { grad: true, policy: { strategy: 'split-row' } }),
  binaryCase('mean, one gradient of two', [3, 8], { grad: true }),
  binaryCase('mean, weights, gradOutput in a tensor', SHAPE, {
    grad: true,
    gradTargets: true,
    weight: true,
    posWeight: true,
    gradOutput: Float32Array.of(-1.5),
  }),
  binaryCase('sum, a number for gradOutput', [2, 3, 4], { reduction: 'sum', grad: true, gradOutput: 3 }),
  binaryCase('none, one gradient of two', SHAPE, { reduction: 'none', grad: true }),
  binaryCase('a single element', [], { grad: true, gradTargets: true, posWeight: true }),
  binaryCase('loss only', [40]),
  softmaxGradCase([2, 5, 3], 1),
  softmaxGradCase([2, 300], -1),
  logSoftmaxGradCase([4, 3], 0),
  logSoftmaxGradCase([3, 8], 1),
  logSumExpGradCase([2, 5, 3], 1, true),
  logSumExpGradCase([5], 0, false),
  logSumExpGradCase([3, 8], -1, false),
];

function inputsOf(ctx: Context, keep: Keep, { inputs }: PlanCase): Tensors {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, [data, shape]]) => [name, keep(ctx.tensor(data, shape))]),
  );
}

/** Tensors full of NaN, which the results must replace. */
function blanks(ctx: Context, keep: Keep, { results }: PlanCase): Tensors {
  return Object.fromEntries(Object.entries(results).map(([name, shape]) => [name, blank(ctx, keep, shape)]));
}

/** What the call gives, read. */
async function expectedOf(
  keep: Keep,
  { op, results }: PlanCase,
  inputs: Tensors,
): Promise<Readonly<Record<string, TypedArray>>> {
  const made = Object.entries((await op(inputs)) as Tensors);
  equal(made.map(([name]) => name).join(), Object.keys(results).join(), 'results of the op');
  const read: Record<string, TypedArray> = {};
  for (const [name, tensor] of made) read[name] = await keep(tensor).read();
  return read;
}

function sameBitsCheck(one: PlanCase): Check {
  return check(`plans: the bits of the op: ${one.name}`, async ({ ctx }, keep) => {
    const plan = keep(await one.plan(ctx));
    const inputs = inputsOf(ctx, keep, one);
    const expected = await expectedOf(keep, one, inputs);
    const results = blanks(ctx, keep, one);
    step(ctx, plan, { ...inputs, ...results });
    for (const [name, tensor] of Object.entries(results)) {
      sameBits(await tensor.read(), expected[name] as TypedArray, name);
    }
    for (const [name, [data]] of Object.entries(one.inputs)) {
      sameBits(await (inputs[name] as Tensor).read(), data, `the input ${name}`);
    }
  });
}

function paddedChecks(): Check[] {
  return FULL.map((one) =>
    gpuCheck(`plans: padded rows: ${one.name}`, async ({ ctx }, keep, device) => {
      const dense = inputsOf(ctx, keep, one);
      const expected = await expectedOf(keep, one, dense);
      const [lead] = Object.keys(one.inputs) as [string];
      const [data] = one.inputs[lead] as [TypedArray, Shape];
      const padded = new Float32Array(3 * 7).fill(Number.NaN);
      for (let r = 0; r < 3; r++) padded.set(data.subarray(5 * r, 5 * r + 5), 7 * r);
      const buffer = keep(foreignBuffer(device, padded));
      const plan = keep(await one.plan(ctx, { rowStride: 7 }));
      const results = blanks(ctx, keep, one);
      step(ctx, plan, {
        ...dense,
        [lead]: keep(ctx.fromBuffer(buffer, SHAPE, { rowStride: 7 })),
        ...results,
      });
      for (const [name, tensor] of Object.entries(results)) {
        sameBits(await tensor.read(), expected[name] as TypedArray, `${name} of padded rows`);
      }
      await refusesAll(InvalidArgumentError, 'throws', [
        [
          'dense rows',
          () => plan.encode(device.createCommandEncoder(), { ...dense, ...results }),
          /rowStride 5; the plan has 7/,
        ],
      ]);
    }),
  );
}

const offsetCheck = gpuCheck(
  'plans: parts of buffers at an offset, of the other plans',
  async ({ ctx }, keep, device) => {
    const offset = 260;
    for (const one of FULL) {
      const expected = await expectedOf(keep, one, inputsOf(ctx, keep, one));
      const plan = keep(await one.plan(ctx)) as unknown as OpPlan<Record<string, object>>;
      const buffers: Record<string, GPUBuffer> = {};
      for (const [name, [data]] of Object.entries(one.inputs))
        buffers[name] = embedded(device, keep, data, offset);
      for (const [name, shape] of Object.entries(one.results)) {
        const nothing = new Uint32Array(sizeOf(shape)).fill(SENTINEL);
        buffers[name] = embedded(device, keep, nothing, offset);
      }
      const parts = Object.entries(buffers).map(([name, buffer]) => [name, { buffer, offset }]);
      step(ctx, plan, Object.fromEntries(parts));
      for (const [name, shape] of Object.entries(one.results)) {
        const what = `${one.name}: ${name} at byte ${offset}`;
        const got = await extract(device, buffers[name] as GPUBuffer, offset, 4 * sizeOf(shape), what);
        sameBits(got, expected[name] as TypedArray, what);
      }
    }
  },
);

function bindingsChecks(): Check[] {
  return FULL.map((one) =>
    check(`plans: bindings that do not fit: ${one.name}`, async ({ ctx }, keep) => {
      const plan = keep(await one.plan(ctx));
      const good = { ...inputsOf(ctx, keep, one), ...blanks(ctx, keep, one) };
      const encoder = ctx.device?.createCommandEncoder();
      const attempts: Attempt[] = [];
      const wrong = (what: string, bindings: object, words: RegExp) =>
        attempts.push([what, () => plan.encode(encoder, { ...good, ...bindings } as never), words]);
      for (const [name, tensor] of Object.entries(good)) {
        wrong(`no ${name}`, { [name]: undefined }, new RegExp(`'${name}' is missing`));
        const [Own, Other] = tensor.dtype === 'f32' ? [Float32Array, Int32Array] : [Int32Array, Float32Array];
        const shape = [...tensor.shape, 1];
        const other = keep(ctx.tensor(new Own(sizeOf(shape)), shape));
        wrong(`${name} of another shape`, { [name]: other }, new RegExp(`${name} has shape .*the plan has`));
        const data = new Other(sizeOf(tensor.shape));
        const dtype = keep(ctx.tensor(data, tensor.shape));
        wrong(`${name} of another dtype`, { [name]: dtype }, new RegExp(`${name} is .*the plan has`));
      }
      const [lead] = Object.values(good) as [Tensor];
      wrong('a binding too many', { output: lead }, /no binding 'output'.*there are .*grad/);
      wrong('the gradient over its input', { grad: lead }, /same buffer/);
      await refusesAll(InvalidArgumentError, 'throws', attempts);

      // What was not asked for is no binding.
      const bare = Object.keys(one.results)[0] === 'grad' ? undefined : await one.plan(ctx, { grad: false });
      if (bare !== undefined) {
        keep(bare);
        await refusesAll(InvalidArgumentError, 'throws', [
          ['a gradient nobody asked for', () => bare.encode(encoder, good), /no binding 'grad/],
        ]);
      }
      plan.encode(encoder, good);
      if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
    }),
  );
}

function optionAttempts({
  ctx,
  perRow,
}: {
  readonly ctx: Context;
  readonly perRow: Tensor;
}): readonly Attempt[] {
  const attempts: Attempt[] = [];
  const plans = { planNllLoss, planEntropy, planBinaryCrossEntropy };
  for (const [name, make] of Object.entries(plans)) {
    const each = name === 'planBinaryCrossEntropy' ? 'elements' : 'rows';
    const call = (options: object) => make(ctx, { shape: SHAPE, ...options } as never);
    attempts.push(
      [`${name}, reduction`, () => call({ reduction: 'avg' }), /reduction is 'avg'/],
      [`${name}, grad`, () => call({ grad: 'in-place' }), /grad is 'in-place'.*true or false/],
      [
        `${name}, each of a mean`,
        () => call({ gradOutput: each }),
        new RegExp(`gradOutput is '${each}'.*'mean'.*'scalar'`),
      ],
      [
        `${name}, scalar of none`,
        () => call({ gradOutput: 'scalar', reduction: 'none' }),
        new RegExp(`gradOutput.*'none'.*'${each}'`),
      ],
      [`${name}, gradOutput tensor`, () => call({ gradOutput: perRow }), /gradOutput/],
      [`${name}, gradOutput null`, () => call({ gradOutput: null }), /gradOutput is 'null'/],
      [`${name}, unknown`, () => call({ temperature: 2 }), /unknown option 'temperature'/],
    );
  }
  for (const [name, call] of [
    ['planNllLoss', (options: object) => planNllLoss(ctx, { shape: SHAPE, ...options })],
    [
      'planBinaryCrossEntropy',
      (options: object) => planBinaryCrossEntropy(ctx, { shape: SHAPE, ...options }),
    ],
  ] as const) {
    attempts.push([
      `${name}, weight tensor`,
      () => call({ weight: perRow }),
      /weight must be true or false.*binding/,
    ]);
  }
  const nll = (options: object) => planNllLoss(ctx, { shape: SHAPE, ...options });
  const binary = (options: object) => planBinaryCrossEntropy(ctx, { shape: SHAPE, ...options });
  attempts.push(
    ['nll, ignoreIndex', () => nll({ ignoreIndex: 0.5 }), /ignoreIndex is 0\.5/],
    ['nll, targetDtype', () => nll({ targetDtype: 'f32' }), /targetDtype is 'f32'.*'i32' or 'u32'/],
    ['nll, posWeight', () => nll({ posWeight: true }), /unknown option 'posWeight'/],
    ['binary, posWeight', () => binary({ posWeight: 1 }), /posWeight must be true or false/],
    ['binary, gradTargets', () => binary({ gradTargets: 'yes' }), /gradTargets is 'yes'.*true or false/],
    ['binary, axis', () => binary({ axis: 1 }), /unknown option 'axis'/],
    ['binary, rows', () => binary({ gradOutput: 'rows', reduction: 'none' }), /'rows'.*'elements'/],
    [
      'binary, no options',
      () => planBinaryCrossEntropy(ctx, undefined as never),
      /options must be an object/,
    ],
    ['binary, no shape', () => planBinaryCrossEntropy(ctx, {} as never), /shape/],
    ['binary, no context', () => planBinaryCrossEntropy(null as never, { shape: SHAPE }), /context/],
    ['binary, dtype', () => binary({ dtype: 'i32' }), /dtype is 'i32'.*'f32'/],
    ['binary, rowStride', () => binary({ rowStride: 4 }), /rowStride is 4.*from 5/],
    [
      'planLogSumExpGrad, keepDims',
      () => planLogSumExpGrad(ctx, { shape: SHAPE, keepDims: 1 as never }),
      /keepDims is '1'.*true or false/,
    ],
  );
  return attempts;
}

const targetCheck = check(
  'plans: a target out of range in nllLoss, and in its plan',
  async ({ ctx }, keep) => {
    const good = Int32Array.of(1, 0, 4);
    const one = nllCase('bad targets', SHAPE, good, { grad: true, reduction: 'sum' });
    const plan = keep(await one.plan(ctx));
    const inputs = inputsOf(ctx, keep, one);
    const expected = await expectedOf(keep, one, inputs);
    const results = blanks(ctx, keep, one);
    const targets = inputs['targets'] as Tensor;
    for (const [data, row, value] of [
      [Int32Array.of(1, 5, -1), 1, 5],
      [Int32Array.of(1, 0, -7), 2, -7],
    ] as const) {
      targets.write(data);
      step(ctx, plan, { ...inputs, ...results });
      const called = Object.entries((await one.op(inputs)) as Tensors);
      for (const [name, tensor] of [...Object.entries(results), ...called]) {
        const words = new RegExp(`row ${row} is ${value}, outside \\[0, 5\\)`);
        const error = await rejects(TargetOutOfRangeError, tensor.read(), name, words);
        equal(error.row, row, `${name}: the row`);
        equal(show([...(error.shapes['targets'] ?? [])]), '[3]', `${name}: the shape of the targets`);
      }
      for (const [, tensor] of called) tensor.destroy();
      targets.write(good);
      step(ctx, plan, { ...inputs, ...results });
      for (const [name, tensor] of Object.entries(results)) {
        sameBits(
          await tensor.read(),
          expected[name] as TypedArray,
          `${name}, once the targets are right again`,
        );
      }
    }
  },
);

const noRowsCheck = check('plans: no rows, of the other plans', async ({ ctx }, keep) => {
  const shape = [0, 5];
  for (const [reduction, expected] of [
    ['mean', Number.NaN],
    ['sum', 0],
  ] as const) {
    const options = { reduction, grad: true } as const;
    for (const one of [
      nllCase('', shape, new Int32Array(0), options),
      entropyCase('', shape, options),
      binaryCase('', shape, options),
      binaryCase('', [3, 0], options),
    ]) {
      const plan = keep(await one.plan(ctx));
      const [result] = Object.keys(one.results) as [string];
      const value = keep(ctx.tensor(Float32Array.of(7), []));
      const results = { ...blanks(ctx, keep, one), [result]: value };
      step(ctx, plan, { ...inputsOf(ctx, keep, one), ...results });
      equal((await value.read())[0], expected, `${one.name}the ${reduction} over nothing`);
    }
  }
  for (const one of [softmaxGradCase(shape, -1), logSumExpGradCase(shape, -1, false)]) {
    const plan = keep(await one.plan(ctx));
    step(ctx, plan, { ...inputsOf(ctx, keep, one), ...blanks(ctx, keep, one) });
  }
});

/** Memory for what is not computed would be held for as long as the plan lives. */
const unwantedScratchCheck = gpuCheck('plans: no scratch where nothing is reduced', async ({ ctx }, keep) => {
  for (const one of FULL.filter(({ name }) => !name.startsWith('nllLoss'))) {
    equal(keep(await one.plan(ctx)).scratchBytes, 0, `${one.name}: scratchBytes`);
  }
});
