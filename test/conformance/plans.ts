// Plans: the same bits as the ops, in the caller's encoder or pass, without anything new on the device from step to step.

import { MOST_BOUND } from '../../src/gpu/executable.js';
import {
  type Context,
  type CrossEntropyBindings,
  type CrossEntropyOptions,
  crossEntropy,
  InvalidArgumentError,
  logSoftmax,
  logSumExp,
  type OpPlan,
  type OutputBindings,
  type PlanCrossEntropyOptions,
  planCrossEntropy,
  planLogSoftmax,
  planLogSumExp,
  planLogSumExpGrad,
  planSoftmax,
  type Strategy,
  softmax,
  type Tensor,
} from '../../src/index.js';
import {
  type Attempt,
  assert,
  check,
  equal,
  gpuCheck,
  type Keep,
  refusesAll,
  sameBits,
  show,
} from './assert.js';
import type { Check } from './check.js';
import {
  bitsOf,
  Calls,
  COPY_DST,
  COPY_SRC,
  contextOn,
  counting,
  foreignBuffer,
  intercept,
  STORAGE,
} from './device.js';

/** Everything that a plan promises. */
export function planChecks(): Check[] {
  return [
    ...sameBitsChecks(),
    passCheck,
    manySetsCheck,
    ...offsetChecks(),
    ...summaryChecks(),
    bindingsCheck,
    encoderCheck,
    noRowsCheck,
    destroyCheck,
    trainingCheck,
  ];
}

type Bindings = Readonly<Record<string, Tensor>>;

/** Encodes a plan once, in an encoder of its own, and submits it; on the CPU it runs at once. */
export function step<B extends object>({ device }: Context, plan: OpPlan<B>, bindings: B): void {
  const encoder = device?.createCommandEncoder();
  plan.encode(encoder, bindings);
  if (encoder !== undefined) device?.queue.submit([encoder.finish()]);
}

export function values(count: number, seed = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => 4 * Math.sin((i + 1) * (seed + 0.37)));
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A tensor full of NaN, which a result must replace. */
export function blank(ctx: Context, keep: Keep, shape: readonly number[]): Tensor {
  return keep(ctx.tensor(new Float32Array(sizeOf(shape)).fill(Number.NaN), shape));
}

/** Rows of probabilities. */
export function probabilities(rows: number, classes: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows * classes }, (_, i) => {
    const [row, c] = [Math.floor(i / classes), i % classes];
    const total = (classes * (classes + 1)) / 2;
    return (((c + row) % classes) + 1) / total;
  });
}

const ELEMENTWISE = [
  ['softmax', softmax, planSoftmax],
  ['logSoftmax', logSoftmax, planLogSoftmax],
] as const;

const SHAPES: readonly [readonly number[], number][] = [
  [[5], -1],
  [[3, 7], -1],
  [[3, 64], 1],
  [[2, 3, 5], 1],
  [[4, 3], 0],
  [[2, 300], -1],
];

/** A cross-entropy as an op and as a plan; `weight` and `gradOutput` are bindings of the plan where they are arrays. */
interface LossCase {
  readonly name: string;
  readonly shape: readonly number[];
  readonly targets: Int32Array | Uint32Array | 'probs';
  readonly weight?: Float32Array;
  readonly gradOutput?: number | Float32Array;
  readonly options?: Omit<PlanCrossEntropyOptions, 'shape' | 'targets' | 'weight' | 'gradOutput' | 'policy'>;
}

const LOSSES: readonly LossCase[] = [
  { name: 'mean', shape: [3, 5], targets: Int32Array.of(1, -100, 4), options: { grad: true } },
  {
    name: 'none, weight, one gradOutput a row',
    shape: [3, 5],
    targets: Int32Array.of(1, 0, 4),
    weight: Float32Array.of(1, 2, 0.5, 0, 3),
    gradOutput: Float32Array.of(1, -2, 0.5),
    options: { reduction: 'none', grad: true, returnLogSumExp: true },
  },
  {
    name: 'sum, u32, gradOutput in a tensor, smoothing',
    shape: [3, 8],
    targets: Uint32Array.of(7, 0, 3),
    gradOutput: Float32Array.of(-1.5),
    options: { reduction: 'sum', grad: true, labelSmoothing: 0.1, ignoreIndex: 3 },
  },
  {
    name: 'mean, in place, weight',
    shape: [4, 8],
    targets: Int32Array.of(1, 2, 0, 7),
    weight: values(8).map(Math.abs),
    gradOutput: 3,
    options: { grad: 'in-place', returnLogSumExp: true },
  },
  {
    name: 'probabilities, both gradients',
    shape: [3, 5],
    targets: 'probs',
    options: { grad: true, gradTargets: true, returnLogSumExp: true },
  },
  {
    name: 'probabilities, in place, none',
    shape: [3, 5],
    targets: 'probs',
    weight: Float32Array.of(1, 2, 0.5, 0, 3),
    gradOutput: Float32Array.of(1, -2, 0.5),
    options: { reduction: 'none', grad: 'in-place' },
  },
  {
    name: 'another axis',
    shape: [2, 5, 3],
    targets: Int32Array.of(0, 1, 2, 3, 4, -100),
    options: { axis: 1, grad: true, reduction: 'sum' },
  },
  { name: 'loss only', shape: [3, 40], targets: Int32Array.of(39, 0, 20), options: {} },
];

/** What a case binds, with blank results. */
async function bind(
  ctx: Context,
  keep: Keep,
  loss: LossCase,
): Promise<{ plan: OpPlan<CrossEntropyBindings>; bindings: Bindings }> {
  const { shape, targets, weight, gradOutput, options = {} } = loss;
  const { axis = -1, reduction = 'mean', grad, gradTargets, returnLogSumExp } = options;
  const perRow = shape.filter((_, i) => i !== (axis < 0 ? axis + shape.length : axis));
  const reduced = reduction !== 'none';
  const plan = keep(
    await planCrossEntropy(ctx, {
      ...options,
      shape,
      targets: targets === 'probs' ? 'probs' : 'index',
      ...(targets instanceof Uint32Array ? { targetDtype: 'u32' } : {}),
      ...(weight === undefined ? {} : { weight: true }),
      ...(typeof gradOutput === 'object'
        ? { gradOutput: reduced ? 'scalar' : 'rows' }
        : { gradOutput: gradOutput ?? 1 }),
    }),
  );
  const bindings = {
    logits: keep(ctx.tensor(values(sizeOf(shape)), shape)),
    targets: makeTargets(ctx, keep, loss, perRow),
    ...(weight === undefined ? {} : { weight: keep(ctx.tensor(weight, [weight.length])) }),
    ...(typeof gradOutput === 'object'
      ? { gradOutput: keep(ctx.tensor(gradOutput, reduced ? [] : perRow)) }
      : {}),
    loss: blank(ctx, keep, reduced ? [] : perRow),
    ...(grad === true ? { grad: blank(ctx, keep, shape) } : {}),
    ...(gradTargets === true ? { gradTargets: blank(ctx, keep, shape) } : {}),
    ...(returnLogSumExp === true ? { logSumExp: blank(ctx, keep, perRow) } : {}),
  };
  return { plan, bindings };
}

function makeTargets(
  ctx: Context,
  keep: Keep,
  { shape, targets }: LossCase,
  perRow: readonly number[],
): Tensor {
  if (targets !== 'probs') return keep(ctx.tensor(targets, perRow));
  const classes = shape.at(-1) as number;
  return keep(ctx.tensor(probabilities(sizeOf(shape) / classes, classes), shape));
}

function sameBitsChecks(): Check[] {
  return [
    ...ELEMENTWISE.map(([name, op, makePlan]) =>
      check(`plans: ${name}, the bits of the op`, async ({ ctx }, keep) => {
        for (const [shape, axis] of SHAPES) {
          const logits = keep(ctx.tensor(values(sizeOf(shape)), shape));
          const expected = await keep(await op(logits, { axis })).read();
          const plan: OpPlan<OutputBindings> = keep(await makePlan(ctx, { shape, axis }));
          const output = blank(ctx, keep, shape);
          step(ctx, plan, { logits, output });
          sameBits(await output.read(), expected, `${name} of ${show([...shape])}, axis ${axis}`);
        }
      }),
    ),
    check('plans: logSumExp, the bits of the op', async ({ ctx }, keep) => {
      for (const [shape, axis] of SHAPES) {
        for (const keepDims of [false, true]) {
          const logits = keep(ctx.tensor(values(sizeOf(shape)), shape));
          const expected = keep(await logSumExp(logits, { axis, keepDims }));
          const plan = keep(await planLogSumExp(ctx, { shape, axis, keepDims }));
          const output = blank(ctx, keep, expected.shape);
          step(ctx, plan, { logits, output });
          sameBits(
            await output.read(),
            await expected.read(),
            `logSumExp of ${show([...shape])}, axis ${axis}`,
          );
        }
      }
    }),
    ...LOSSES.map((loss) =>
      check(`plans: crossEntropy, the bits of the op: ${loss.name}`, async ({ ctx }, keep) => {
        const { plan, bindings } = await bind(ctx, keep, loss);
        const { logits, targets } = bindings as unknown as { logits: Tensor; targets: Tensor };
        // The op first: in place, the plan overwrites the logits.
        const copy = keep(ctx.tensor(values(sizeOf(loss.shape)), loss.shape));
        const { targetDtype: _, ...terms } = loss.options ?? {};
        const expected = await crossEntropy(copy, targets, {
          gradTargets: false,
          ...terms,
          ...(loss.weight === undefined ? {} : { weight: loss.weight }),
          ...(loss.gradOutput === undefined ? {} : { gradOutput: loss.gradOutput }),
        } as CrossEntropyOptions);
        for (const tensor of Object.values(expected) as Tensor[]) keep(tensor);
        step(ctx, plan, bindings as never);
        for (const [name, tensor] of Object.entries(expected) as [string, Tensor][]) {
          const result = name === 'grad' && loss.options?.grad === 'in-place' ? logits : bindings[name];
          assert(result !== undefined, `no ${name}`);
          sameBits(await result.read(), await tensor.read(), name);
        }
        const count = ['loss', 'grad', 'gradTargets', 'logSumExp'].filter((name) => name in bindings).length;
        equal(
          Object.keys(expected).length,
          count + Number(loss.options?.grad === 'in-place'),
          'results of the op',
        );
      }),
    ),
  ];
}

/** A kernel of the caller's own: x -> scale * x + shift over `count` elements. */
async function affine(device: GPUDevice, buffer: GPUBuffer, count: number, scale: string, shift: string) {
  const code = `@group(0) @binding(0) var<storage, read_write> data: array<f32>;
    @compute @workgroup_size(32) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
      if (id.x < ${count}u) { data[id.x] = data[id.x] * ${scale} + ${shift}; }
    }`;
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint: 'main' },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  return (pass: GPUComputePassEncoder) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(count / 32));
  };
}

const passCheck = gpuCheck(
  'plans: in the caller’s compute pass, between other dispatches',
  async ({ ctx }, keep, device) => {
    const shape = [3, 5];
    const data = values(15);
    const targets = keep(ctx.tensor(Int32Array.of(1, 0, 4), [3]));
    const doubled = keep(
      ctx.tensor(
        data.map((x) => 2 * x),
        shape,
      ),
    );
    const expected = await crossEntropy(doubled, targets, { grad: true });
    const loss = keep(expected.loss);
    const grad = keep(expected.grad as Tensor);
    const lossBits = await loss.read();
    const shifted = (await grad.read()).map((x) => 4 * x) as Float32Array;

    const logits = keep(ctx.tensor(data, shape));
    const out = { loss: blank(ctx, keep, []), grad: blank(ctx, keep, shape) };
    const plan = keep(await planCrossEntropy(ctx, { shape, targets: 'index', grad: true }));
    const before = await affine(device, logits.buffer as GPUBuffer, 15, '2.0', '0.0');
    const after = await affine(device, out.grad.buffer as GPUBuffer, 15, '4.0', '0.0');
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    before(pass);
    plan.encode(pass, { logits, targets, ...out });
    after(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
    sameBits(await out.loss.read(), lossBits, 'the loss');
    sameBits(await out.grad.read(), shifted, 'four times the gradient');
    sameBits(await logits.read(), await doubled.read(), 'the logits, doubled');
  },
);

const manySetsCheck = check('plans: many sets of buffers, in turns', async ({ ctx }, keep) => {
  const shape = [3, 5];
  const plan = keep(await planCrossEntropy(ctx, { shape, targets: 'index', grad: true, reduction: 'sum' }));
  const sets = [];
  for (let k = 0; k < MOST_BOUND + 2; k++) {
    const logits = keep(ctx.tensor(values(15, k), shape));
    const targets = keep(ctx.tensor(Int32Array.of(k % 5, (k + 1) % 5, (k + 2) % 5), [3]));
    const expected = await crossEntropy(logits, targets, { grad: true, reduction: 'sum' });
    sets.push({
      expected: await keep(expected.grad as Tensor).read(),
      loss: await keep(expected.loss).read(),
      bindings: { logits, targets, loss: blank(ctx, keep, []), grad: blank(ctx, keep, shape) },
    });
  }
  // All in one encoder, more sets than are kept bound, and each of them twice.
  const encoder = ctx.device?.createCommandEncoder();
  for (const order of [sets, [...sets].reverse()]) {
    for (const { bindings } of order) plan.encode(encoder, bindings);
  }
  if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
  for (const [k, { bindings, expected, loss }] of sets.entries()) {
    sameBits(await bindings.grad.read(), expected, `the gradient of set ${k}`);
    sameBits(await bindings.loss.read(), loss, `the loss of set ${k}`);
  }
  // In turns, with new contents.
  for (let turn = 0; turn < 4; turn++) {
    const { bindings } = sets[turn % 2] as (typeof sets)[number];
    const other = sets[turn + 4] as (typeof sets)[number];
    bindings.logits.write((await other.bindings.logits.read()) as Float32Array);
    bindings.targets.write((await other.bindings.targets.read()) as Int32Array);
    step(ctx, plan, bindings);
    sameBits(await bindings.grad.read(), other.expected, `the gradient in turn ${turn}`);
  }
});

export const SENTINEL = 0x7fc0beef;

/** `words` in a larger buffer of the caller's own, from byte `offset`, between words that nobody may touch. */
export function embedded(device: GPUDevice, keep: Keep, words: ArrayBufferView, offset: number): GPUBuffer {
  const all = new Uint32Array(offset / 4 + words.byteLength / 4 + 5).fill(SENTINEL);
  all.set(new Uint32Array(words.buffer as ArrayBuffer, words.byteOffset, words.byteLength / 4), offset / 4);
  return keep(foreignBuffer(device, all));
}

/** The words from byte `offset` on; throws where one before or behind them was touched. */
export async function extract(
  device: GPUDevice,
  buffer: GPUBuffer,
  offset: number,
  bytes: number,
  what: string,
) {
  const all = await bitsOf(device, buffer);
  all.forEach((word, i) => {
    const inside = i * 4 >= offset && i * 4 < offset + bytes;
    if (!inside) equal(word, SENTINEL, `${what}: the word at byte ${i * 4}, outside of the tensor,`);
  });
  return all.slice(offset / 4, (offset + bytes) / 4);
}

function offsetChecks(): Check[] {
  const run = async (
    ctx: Context,
    keep: Keep,
    device: GPUDevice,
    classes: number,
    offset: number,
    policy?: { vec4: boolean },
  ) => {
    const shape = [3, classes];
    const data = values(3 * classes);
    const targets = Int32Array.of(1, 0, classes - 1);
    const tensor = keep(ctx.tensor(data, shape));
    const expected = await crossEntropy(tensor, targets, { grad: true, reduction: 'none' });
    const plan = keep(
      await planCrossEntropy(ctx, {
        shape,
        targets: 'index',
        grad: true,
        reduction: 'none',
        ...(policy === undefined ? {} : { policy }),
      }),
    );
    const nothing = new Uint32Array(3 * classes).fill(SENTINEL);
    const buffers = {
      logits: embedded(device, keep, data, offset),
      targets: embedded(device, keep, targets, offset),
      loss: embedded(device, keep, nothing.slice(0, 3), offset),
      grad: embedded(device, keep, nothing, offset),
    };
    step(ctx, plan, {
      logits: { buffer: buffers.logits, offset, size: 12 * classes },
      targets: { buffer: buffers.targets, offset, size: 12 },
      loss: { buffer: buffers.loss, offset, size: 12 },
      grad: { buffer: buffers.grad, offset },
    });
    for (const [name, bytes] of [
      ['loss', 12],
      ['grad', 12 * classes],
    ] as const) {
      const got = await extract(device, buffers[name], offset, bytes, `${name} at byte ${offset}`);
      sameBits(
        got,
        await keep(expected[name] as Tensor).read(),
        `${name} of ${classes} classes at byte ${offset}`,
      );
    }
  };
  return [
    gpuCheck('plans: parts of buffers, at any offset', async ({ ctx }, keep, device) => {
      for (const offset of [0, 4, 12, 252, 256, 260, 1024]) await run(ctx, keep, device, 5, offset);
      for (const offset of [16, 240, 256, 272]) await run(ctx, keep, device, 8, offset);
    }),
    gpuCheck(
      'plans: parts of buffers that four classes at once do not fit',
      async ({ ctx }, keep, device) => {
        await run(ctx, keep, device, 8, 260, { vec4: false });
        await run(ctx, keep, device, 8, 4, { vec4: false });
        const plan = keep(await planSoftmax(ctx, { shape: [3, 8] }));
        const buffer = keep(device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC | COPY_DST }));
        const output = blank(ctx, keep, [3, 8]);
        const encoder = device.createCommandEncoder();
        await refusesAll(InvalidArgumentError, 'throws', [
          [
            'logits at byte 4',
            () => plan.encode(encoder, { logits: { buffer, offset: 4 }, output }),
            /logits.*byte 4.*16.*vec4: false/,
          ],
        ]);
        device.queue.submit([encoder.finish()]);
      },
    ),
    gpuCheck('plans: padded rows', async ({ ctx }, keep, device) => {
      const dense = values(15);
      const padded = new Float32Array(3 * 7).fill(Number.NaN);
      for (let r = 0; r < 3; r++) padded.set(dense.subarray(5 * r, 5 * r + 5), 7 * r);
      const tensor = keep(ctx.tensor(dense, [3, 5]));
      const expected = await keep(await softmax(tensor)).read();
      const plan = keep(await planSoftmax(ctx, { shape: [3, 5], rowStride: 7 }));
      const buffer = keep(foreignBuffer(device, padded));
      const logits = keep(ctx.fromBuffer(buffer, [3, 5], { rowStride: 7 }));
      for (const binding of [logits, { buffer }]) {
        const output = blank(ctx, keep, [3, 5]);
        step(ctx, plan, { logits: binding, output });
        sameBits(await output.read(), expected, 'softmax of padded rows');
      }
    }),
  ];
}

/** The encoder, and the grids of what is dispatched with it. */
function recording(encoder: GPUCommandEncoder): { encoder: GPUCommandEncoder; grids: number[][] } {
  const grids: number[][] = [];
  const wrapped = intercept(encoder, {
    beginComputePass: (own) => (descriptor) =>
      intercept(own(descriptor), {
        dispatchWorkgroups: (dispatch) => (x, y, z) => {
          grids.push([x, y ?? 1]);
          return dispatch(x, y, z);
        },
      }),
  });
  return { encoder: wrapped, grids };
}

function summaryChecks(): Check[] {
  return [
    gpuCheck('plans: passes and scratchBytes are what happens', async (env, keep, device) => {
      const calls = new Calls();
      const ctx = keep(await contextOn(env, counting(calls)));
      for (const [strategy, loss] of [
        ['row-per-thread', LOSSES[1]],
        ['row-per-workgroup', LOSSES[4]],
        ['split-row', LOSSES[0]],
      ] as [Strategy, LossCase][]) {
        calls.clear();
        const options = { ...loss.options, policy: { strategy } } as NonNullable<LossCase['options']>;
        const { plan, bindings } = await bind(ctx, keep, { ...loss, options });
        const what = `${loss.name}, ${strategy}`;
        const ours = calls.buffers.filter(({ label }) => !label.endsWith(' tensor'));
        equal(
          plan.scratchBytes,
          ours.reduce((sum, { size }) => sum + size, 0),
          `${what}: scratchBytes`,
        );
        const { encoder, grids } = recording(device.createCommandEncoder());
        plan.encode(encoder, bindings as never);
        device.queue.submit([encoder.finish()]);
        assert(plan.passes.length > 0 && grids.length > 0, `${what}: nothing runs`);
        equal(
          show(grids),
          show(plan.passes.flatMap((pass) => pass.grids.map((grid) => [...grid]))),
          `${what}: the grids`,
        );
        for (const { variant, bytes } of plan.passes) {
          assert(variant.includes('@'), `${what}: the variant ${variant}`);
          assert(Number.isSafeInteger(bytes) && bytes > 0, `${what}: ${bytes} bytes of ${variant}`);
        }
        const used = plan.passes.map(({ variant }) => variant.split('/')[1]?.split('@')[0]);
        const own = strategy === 'split-row' ? 'split-partial' : strategy;
        assert(used.includes(own), `${what}: the passes are ${show(used)}`);
      }
    }),
    gpuCheck('plans: the summary of a softmax', async ({ ctx }, keep) => {
      const summary = async (
        shape: readonly number[],
        strategy: 'row-per-thread' | 'row-per-workgroup' | 'split-row',
      ) => {
        const { passes, scratchBytes } = keep(
          await planSoftmax(ctx, { shape, policy: { strategy, workgroupSize: 64 } }),
        );
        return {
          kernels: passes.map(({ variant }) => variant.split('/')[1]),
          grids: passes.map(({ grids }) => grids),
          passes,
          scratchBytes,
        };
      };
      const threads = await summary([130, 5], 'row-per-thread');
      equal(show(threads.kernels), '["row-per-thread@64"]', 'kernels');
      equal(show(threads.grids.flat(2)), '[3, 1]', 'the grid of 130 rows, a thread each');
      equal(threads.passes[0]?.bytes, 2 * 130 * 5 * 4, 'bytes: logits and output');
      equal(threads.scratchBytes, 0, 'scratchBytes');
      const groups = await summary([130, 5], 'row-per-workgroup');
      equal(show(groups.grids.flat(2)), '[130, 1]', 'the grid of 130 rows, a workgroup each');
      const tall = await summary([70_000, 1], 'row-per-workgroup');
      equal(show(tall.grids.flat(2)), '[35000, 2]', 'the grid of 70,000 rows');
      const split = await summary([3, 20_000], 'split-row');
      equal(
        show(split.kernels),
        '["split-partial@64", "split-finish@64", "map@64"]',
        'kernels of a split row',
      );
      assert(split.scratchBytes > 0, 'a split row needs scratch');
      const output = keep(
        await planLogSumExp(ctx, { shape: [130, 5], policy: { strategy: 'row-per-thread' } }),
      );
      equal(output.passes[0]?.bytes, 130 * 5 * 4 + 130 * 4, 'bytes of logSumExp');
    }),
    gpuCheck('plans: the kernels of an op without a statistic', async ({ ctx }, keep) => {
      const kernelOf = async (strategy: 'row-per-thread' | 'row-per-workgroup'): Promise<string> => {
        const policy = { strategy, workgroupSize: 64 };
        const { passes } = keep(await planLogSumExpGrad(ctx, { shape: [130, 5], policy }));
        return show(passes.map(({ variant, grids }) => [variant.split('/')[1], ...grids]));
      };
      equal(await kernelOf('row-per-thread'), '[["map-rows@64", [3, 1]]]', 'a thread for each of 130 rows');
      equal(
        await kernelOf('row-per-workgroup'),
        '[["map@64", [130, 1]]]',
        'a workgroup for each of 130 rows',
      );
    }),
    check('plans: nothing is dispatched on the CPU', async ({ ctx }, keep) => {
      const plan = keep(await planSoftmax(ctx, { shape: [2, 3] }));
      equal(plan.passes.length, ctx.backend === 'cpu' ? 0 : 1, 'passes');
    }),
  ];
}

const bindingsCheck = check('plans: bindings that do not fit', async (env, keep) => {
  const { ctx } = env;
  const { device } = ctx;
  const shape = [3, 5];
  const plan = keep(await planCrossEntropy(ctx, { shape, targets: 'index', grad: true }));
  const bare = keep(await planSoftmax(ctx, { shape }));
  const good = {
    logits: keep(ctx.tensor(values(15), shape)),
    targets: keep(ctx.tensor(Int32Array.of(0, 1, 2), [3])),
    loss: blank(ctx, keep, []),
    grad: blank(ctx, keep, shape),
  };
  const destroyed = blank(ctx, keep, shape);
  destroyed.destroy();
  const other = keep(await contextOn(env, {}));
  const encoder = device?.createCommandEncoder();
  const wrong = (what: string, bindings: object, words: RegExp): Attempt => [
    what,
    () => plan.encode(encoder, { ...good, ...bindings } as never),
    words,
  ];
  const attempts: Attempt[] = [
    ['no bindings', () => plan.encode(encoder, undefined as never), /bindings/],
    ['bindings null', () => plan.encode(encoder, null as never), /bindings/],
    ['empty bindings', () => plan.encode(encoder, {} as never), /'logits' is missing.*\[3, 5\]/],
    wrong('no loss', { loss: undefined }, /'loss' is missing/),
    wrong('no grad', { grad: undefined }, /'grad' is missing.*\[3, 5\]/),
    wrong('grad null', { grad: null }, /grad/),
    wrong('grad a number', { grad: 5 }, /grad/),
    wrong('grad an array', { grad: new Float32Array(15) }, /grad/),
    wrong('a binding too many', { weight: good.grad }, /no binding 'weight'.*logits, targets, loss, grad/),
    wrong('a binding misspelt', { gradd: good.grad }, /no binding 'gradd'/),
    wrong('a name of every object', { toString: good.grad }, /no binding 'toString'/),
    wrong('logits of another shape', { logits: blank(ctx, keep, [5, 3]) }, /logits.*\[5, 3\].*\[3, 5\]/),
    wrong('a loss a row', { loss: blank(ctx, keep, [3]) }, /loss.*\[3\].*\[\]/),
    wrong(
      'targets of another dtype',
      { targets: keep(ctx.tensor(new Uint32Array(3), [3])) },
      /targets is u32.*i32/,
    ),
    wrong('integer logits', { logits: keep(ctx.tensor(new Int32Array(15), shape)) }, /logits is i32.*f32/),
    wrong('a destroyed tensor', { grad: destroyed }, /grad.*destroyed/),
    wrong('another context', { grad: blank(other, keep, shape) }, /grad.*another context/),
    wrong('the gradient over the logits', { grad: good.logits }, /logits and grad.*'in-place'/),
    [
      'softmax over its logits',
      () => bare.encode(encoder, { logits: good.logits, output: good.logits }),
      /logits and output.*separate/,
    ],
  ];
  if (device !== undefined) {
    const buffer = keep(device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC | COPY_DST }));
    const uniform = keep(device.createBuffer({ size: 256, usage: 0x40 }));
    const padded = keep(ctx.fromBuffer(buffer, shape, { rowStride: 6 }));
    attempts.push(
      ['no encoder', () => plan.encode(undefined, good), /GPUCommandEncoder.*GPUComputePassEncoder/],
      ['a queue for an encoder', () => plan.encode(device.queue as never, good), /GPUCommandEncoder/],
      ['encoder null', () => plan.encode(null as never, good), /GPUCommandEncoder/],
      wrong('padded rows', { logits: padded }, /logits has rowStride 6.*5/),
      wrong('a part too small', { grad: { buffer, size: 56 } }, /grad.*60 bytes.*56/),
      wrong('a part that is no size', { grad: { buffer, size: Number.NaN } }, /grad.*size/),
      wrong('a part behind the end', { grad: { buffer, offset: 200 } }, /grad.*60 bytes from byte 200.*256/),
      wrong('a size behind the end', { grad: { buffer, offset: 192, size: 128 } }, /grad.*256/),
      wrong('half an element', { grad: { buffer, offset: 2 } }, /grad.*2.*multiple of 4/),
      wrong('a negative offset', { grad: { buffer, offset: -4 } }, /grad.*-4/),
      wrong('a part of nothing', { grad: {} }, /grad.*GPUBuffer/),
      wrong('a buffer without STORAGE', { grad: { buffer: uniform } }, /grad.*STORAGE/),
      wrong(
        'two results in one buffer',
        { grad: { buffer, offset: 0 }, loss: { buffer, offset: 128 } },
        /loss and grad.*same buffer/,
      ),
      wrong(
        'a result in the logits’ buffer',
        { loss: { buffer: good.logits.buffer } },
        /logits and loss.*same buffer/,
      ),
    );
  }
  await refusesAll(InvalidArgumentError, 'throws', attempts);
  // The encoder of the refused calls holds nothing, and can be used.
  plan.encode(encoder, good);
  if (encoder !== undefined) device?.queue.submit([encoder.finish()]);
  const expected = await crossEntropy(good.logits, good.targets, { grad: true });
  keep(expected.loss);
  sameBits(await good.grad.read(), await keep(expected.grad as Tensor).read(), 'the gradient after all that');

  // Two that are only read may share a buffer.
  const probs = keep(await planCrossEntropy(ctx, { shape, targets: 'probs' }));
  const loss = blank(ctx, keep, []);
  step(ctx, probs, { logits: good.logits, targets: good.logits, loss });
  const same = keep((await crossEntropy(good.logits, good.logits)).loss);
  sameBits(await loss.read(), await same.read(), 'the loss of logits as their own targets');

  bare.destroy();
  await refusesAll(InvalidArgumentError, 'throws', [
    [
      'a destroyed plan',
      () => bare.encode(encoder, { logits: good.logits, output: good.grad }),
      /plan was destroyed.*new/,
    ],
  ]);
});

const encoderCheck = check('plans: one encoder, several plans', async ({ ctx }, keep) => {
  // logits -> logSoftmax -> softmax of that, which is softmax again.
  const shape = [4, 6];
  const logits = keep(ctx.tensor(values(24), shape));
  const first = keep(await planLogSoftmax(ctx, { shape }));
  const second = keep(await planSoftmax(ctx, { shape }));
  const [middle, output] = [blank(ctx, keep, shape), blank(ctx, keep, shape)];
  const encoder = ctx.device?.createCommandEncoder();
  first.encode(encoder, { logits, output: middle });
  second.encode(encoder, { logits: middle, output });
  if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
  const a = keep(await logSoftmax(logits));
  const b = keep(await softmax(a));
  sameBits(await output.read(), await b.read(), 'softmax(logSoftmax(x))');
});

const noRowsCheck = check('plans: no rows', async ({ ctx }, keep) => {
  for (const [reduction, expected] of [
    ['mean', Number.NaN],
    ['sum', 0],
  ] as const) {
    for (const targets of ['index', 'probs'] as const) {
      const plan = keep(await planCrossEntropy(ctx, { shape: [0, 5], targets, reduction, grad: true }));
      const loss = keep(ctx.tensor(Float32Array.of(7), []));
      step(ctx, plan, {
        logits: blank(ctx, keep, [0, 5]),
        targets: targets === 'probs' ? blank(ctx, keep, [0, 5]) : keep(ctx.tensor(new Int32Array(0), [0])),
        loss,
        grad: blank(ctx, keep, [0, 5]),
      });
      equal((await loss.read())[0], expected, `the ${reduction} over no row (${targets})`);
    }
  }
});

const destroyCheck = check('plans: results outlive their plan', async ({ ctx }, keep) => {
  const shape = [3, 5];
  const plan = await planCrossEntropy(ctx, { shape, targets: 'index', grad: true, reduction: 'none' });
  const logits = keep(ctx.tensor(values(15), shape));
  const bindings = {
    logits,
    targets: keep(ctx.tensor(Int32Array.of(0, 1, 2), [3])),
    loss: blank(ctx, keep, [3]),
    grad: blank(ctx, keep, shape),
  };
  step(ctx, plan, bindings);
  plan.destroy();
  plan.destroy();
  const expected = await crossEntropy(logits, bindings.targets, { grad: true, reduction: 'none' });
  sameBits(await bindings.loss.read(), await keep(expected.loss).read(), 'the loss');
  sameBits(await bindings.grad.read(), await keep(expected.grad as Tensor).read(), 'the gradient');
});

const trainingCheck = check(
  'plans: a training loop reaches the entropy of its targets',
  async ({ ctx, ledger }, keep) => {
    const [rows, classes] = [4, 3];
    const shape = [rows, classes];
    const probs = probabilities(rows, classes);
    const entropy = probs.reduce((sum, q) => sum - q * Math.log(q), 0);
    const plan = keep(await planCrossEntropy(ctx, { shape, targets: 'probs', grad: true, reduction: 'sum' }));
    const parameters = values(rows * classes);
    const logits = keep(ctx.tensor(parameters, shape));
    const targets = keep(ctx.tensor(probs, shape));
    const bindings = { logits, targets, loss: blank(ctx, keep, []), grad: blank(ctx, keep, shape) };
    const losses: number[] = [];
    for (let k = 0; k < 150; k++) {
      step(ctx, plan, bindings);
      const [grad, loss] = await Promise.all([bindings.grad.read(), bindings.loss.read()]);
      parameters.forEach((x, i) => {
        parameters[i] = x - (grad[i] as number);
      });
      logits.write(parameters);
      losses.push(loss[0] as number);
    }
    assert((losses[0] as number) > entropy + 1, `the first loss is ${losses[0]}, and the floor ${entropy}`);
    losses.forEach((loss, k) => {
      const before = losses[k - 1];
      assert(
        before === undefined || loss <= before + 1e-5,
        `step ${k}: the loss rises from ${before} to ${loss}`,
      );
    });
    ledger.check(
      'training to the entropy',
      losses.at(-1) as number,
      entropy,
      1e-5,
      'four rows of three classes',
    );
    const model = keep(await softmax(logits));
    (await model.read()).forEach((p, i) => {
      ledger.check('training to the targets', p, probs[i] as number, 1e-4, () => `element ${i}`);
    });
  },
);
