// What linearCrossEntropy and its plan really ask the device for, beside what they promise.
import { describe, expect, test } from 'vitest';
import {
  type Context,
  createContext,
  LimitExceededError,
  type LinearCrossEntropyBindings,
  linearCrossEntropy,
  type PlanLinearCrossEntropyOptions,
  planLinearCrossEntropy,
  type Tensor,
} from '../../src/index.js';
import { Calls, counting, intercept, STORAGE } from '../conformance/device.js';
import { fakeDevice } from '../support/fakeDevice.js';

const MIB = 2 ** 20;
const DEFAULT = 64 * MIB;
/** Of a census, one for each set of buffers. */
const CENSUS_BYTES = 16;
/** Of a dispatch's parameters, aligned as a uniform buffer. */
const PARAMS_BYTES = 256;

/** The limits of most GPUs and browsers. */
const LIMITS = { maxStorageBufferBindingSize: 128 * MIB, maxBufferSize: 256 * MIB };

interface Shape {
  readonly rows: number;
  readonly features: number;
  readonly classes: number;
}

type Terms = Omit<PlanLinearCrossEntropyOptions, 'shape' | 'classes'>;

interface Made {
  readonly ctx: Context;
  readonly calls: Calls;
}

/** A context on a device that counts what it is asked for. */
async function counted(): Promise<Made> {
  const calls = new Calls();
  const device = intercept(fakeDevice(LIMITS), counting(calls));
  return { ctx: await createContext({ device }), calls };
}

/** Tensors on buffers that are not the library's. */
function operands(ctx: Context, { rows, features, classes }: Shape) {
  const tensor = (shape: readonly number[], dtype: 'f32' | 'i32' = 'f32'): Tensor => {
    const size = 4 * shape.reduce((product, length) => product * length, 1);
    return ctx.fromBuffer({ size, usage: STORAGE } as GPUBuffer, shape, { dtype });
  };
  return {
    inputs: {
      hidden: tensor([rows, features]),
      weight: tensor([classes, features]),
      targets: tensor([rows], 'i32'),
    },
    bias: tensor([classes]),
    loss: (perRow: boolean) => tensor(perRow ? [rows] : []),
    gradients: { gradHidden: tensor([rows, features]), gradWeight: tensor([classes, features]) },
    gradBias: tensor([classes]),
  };
}

function bytesOf(buffers: Calls['buffers']): number {
  return buffers.reduce((sum, { size }) => sum + size, 0);
}

const SHAPES: readonly (readonly [Shape, Terms])[] = [
  [{ rows: 2048, features: 256, classes: 200_019 }, { grad: true }],
  [
    { rows: 2048, features: 256, classes: 200_019 },
    { grad: true, maxScratchBytes: 8 * MIB },
  ],
  [
    { rows: 2048, features: 256, classes: 200_019 },
    { grad: true, maxScratchBytes: 512 * MIB },
  ],
  [{ rows: 2048, features: 256, classes: 200_019 }, {}],
  [
    { rows: 2048, features: 768, classes: 50_257 },
    { grad: true, bias: true, labelSmoothing: 0.1 },
  ],
  // Losses enough for their sum to be split, too.
  [
    { rows: 40_000, features: 16, classes: 20_001 },
    { grad: true, gradFilter: 2 ** -12 },
  ],
  [
    { rows: 300, features: 16, classes: 1001 },
    { grad: true, reduction: 'none', maxScratchBytes: 100_000 },
  ],
  [{ rows: 5, features: 3, classes: 7 }, { grad: true }],
  [
    { rows: 1, features: 1, classes: 1 },
    { grad: true, reduction: 'sum' },
  ],
  [{ rows: 0, features: 4, classes: 5 }, { grad: true }],
];

describe.each(
  SHAPES.flatMap(([shape, terms]) =>
    [true, false].map((staged) => [shape, { ...terms, policy: { staged } }] as const),
  ),
)('of %j with %j', ({ rows, features, classes }, terms) => {
  const { maxScratchBytes = DEFAULT, bias = false, reduction } = terms;

  test('a plan creates what it says, once, and never more than it may', async () => {
    const { ctx, calls } = await counted();
    const plan = await planLinearCrossEntropy(ctx, { ...terms, shape: [rows, features], classes });
    expect(plan.scratchBytes).toBe(bytesOf(calls.buffers));
    expect(plan.scratchBytes).toBeLessThanOrEqual(maxScratchBytes);

    calls.clear();
    const { inputs, loss, gradients, ...ofBias } = operands(ctx, { rows, features, classes });
    const bindings: LinearCrossEntropyBindings = {
      ...inputs,
      loss: loss(reduction === 'none'),
      ...(terms.grad && gradients),
      ...(bias && ofBias),
    };
    for (const _ of [1, 2]) {
      const encoder = (ctx.device as GPUDevice).createCommandEncoder();
      plan.encode(encoder, bindings);
    }
    const dispatches = plan.passes.reduce((sum, { grids }) => sum + grids.length, 0);
    const params = PARAMS_BYTES * Math.max(1, dispatches);
    expect(calls.buffers.map(({ size }) => size).sort((a, b) => a - b)).toEqual(
      rows === 0 ? [params] : [CENSUS_BYTES, params],
    );
    plan.destroy();
    ctx.destroy();
  });

  test('a call creates its results, and no more scratch memory than it may', async () => {
    const { ctx, calls } = await counted();
    const { shape: _, bias: __, ...options } = { ...terms, shape: undefined };
    const { inputs, bias: vector } = operands(ctx, { rows, features, classes });
    const { hidden, weight, targets } = inputs;
    calls.clear();
    await linearCrossEntropy(hidden, weight, targets, {
      ...(options as object),
      ...(bias && { bias: vector }),
    });
    const created = calls.buffers.map(({ label, size }) => [label.split(' ')[1] as string, size] as const);
    const results = created.filter(([label]) => label.startsWith('linearCrossEntropy.'));
    const scratch = calls.buffers.filter(({ label }) =>
      /^webgpu-loss linearCrossEntropy (?!params)/.test(label),
    );
    const others = calls.buffers.length - results.length - scratch.length;
    expect(others, 'besides results and scratch memory, the parameters').toBe(1);
    const perOperand = { gradHidden: rows * features, gradWeight: classes * features, gradBias: classes };
    const { gradBias: ofBias, ...ofMatrices } = perOperand;
    const expected = {
      loss: reduction === 'none' ? rows : 1,
      ...(terms.grad && ofMatrices),
      ...(terms.grad && bias && { gradBias: ofBias }),
    };
    expect(Object.fromEntries(results)).toEqual(
      Object.fromEntries(
        Object.entries(expected).map(([name, count]) => [
          `linearCrossEntropy.${name}`,
          Math.max(16, 4 * count),
        ]),
      ),
    );
    expect(bytesOf(scratch)).toBeLessThanOrEqual(maxScratchBytes);
    // The same as a plan, and the census, which is that of this one set of buffers.
    const plan = await planLinearCrossEntropy(ctx, { ...terms, shape: [rows, features], classes });
    expect(bytesOf(scratch)).toBe(plan.scratchBytes + (rows === 0 ? 0 : CENSUS_BYTES));
    plan.destroy();
    ctx.destroy();
  });
});

test('scratch memory is made use of: one row more in a chunk would be too much', async () => {
  const { ctx } = await counted();
  // Rows without anything of their own but logits: a byte less takes one of them away, as each is a chunk of its own.
  const classes = 1000;
  const make = async (maxScratchBytes: number): Promise<readonly [number, number]> => {
    const plan = await planLinearCrossEntropy(ctx, {
      shape: [7, 4],
      classes,
      reduction: 'none',
      maxScratchBytes,
      policy: { strategy: 'row-per-workgroup' },
    });
    const logits = plan.passes.filter(({ variant }) => variant.includes('/logits/')).length;
    plan.destroy();
    return [plan.scratchBytes, logits];
  };
  // The census of the targets, and rows of logits.
  expect(await make(7 * 4 * classes + CENSUS_BYTES)).toEqual([7 * 4 * classes, 1]);
  expect(await make(7 * 4 * classes + CENSUS_BYTES - 1)).toEqual([6 * 4 * classes, 2]);
  expect(await make(4 * classes + CENSUS_BYTES)).toEqual([4 * classes, 7]);
  await expect(make(4 * classes + CENSUS_BYTES - 1)).rejects.toThrow(LimitExceededError);
  ctx.destroy();
});
