// The steady state: a plan that has met its buffers asks nothing more of the device than the commands of its passes.

import { bytesOf } from '../../src/dtype.js';
import * as library from '../../src/index.js';
import {
  type Context,
  InvalidArgumentError,
  type OpPlan,
  type Policy,
  planSoftmax,
  type Tensor,
} from '../../src/index.js';
import { everyPlan, type PlanCall } from '../support/everyPlan.js';
import { assert, equal, gpuCheck, type Keep, refusesAll, sameBits } from './assert.js';
import type { Check } from './check.js';
import {
  Calls,
  COPY_DST,
  COPY_SRC,
  contextOn,
  counting,
  foreignBuffer,
  intercept,
  STORAGE,
} from './device.js';
import { probabilities, step, values } from './plans.js';

export function steadyStateChecks(): Check[] {
  return [...PLANS.map(steadyCheck), ...PLANS.filter(fitsInChunks).map(chunkedCheck), movingPartCheck];
}

type AnyPlan = OpPlan<Readonly<Record<string, object>>>;
type AnyBindings = Readonly<Record<string, object>>;

const [ROWS, CLASSES] = [30, 40];

const PLANS = everyPlan(ROWS, CLASSES);

const POLICIES: readonly Partial<Policy>[] = [
  {},
  { strategy: 'row-per-thread' },
  { strategy: 'row-per-workgroup' },
  { strategy: 'split-row' },
];

/** A binding that holds a part of the matrices: 4,800 bytes each. */
const SMALL_BINDING = 2048;

/** The loss of a binary cross-entropy has a value for each element, and must fit in one binding. */
function fitsInChunks({ plan }: PlanCall): boolean {
  return plan !== 'planBinaryCrossEntropy';
}

function nameOf({ plan, options }: PlanCall): string {
  const { shape: _, ...rest } = options;
  return [plan, ...Object.entries(rest).map(([name, value]) => `${name} ${value}`)].join(', ');
}

function makePlan(ctx: Context, keep: Keep, { plan, options }: PlanCall, policy: Partial<Policy>) {
  const make = (library as unknown as Record<string, (ctx: Context, options: object) => Promise<AnyPlan>>)[
    plan
  ];
  assert(make !== undefined, `there is no ${plan}`);
  return make(ctx, { ...options, policy }).then(keep);
}

/** Buffers that nothing is ever computed in: what is watched is how they are bound. */
function buffersFor(device: GPUDevice, keep: Keep, { bindings }: PlanCall): Record<string, GPUBuffer> {
  return Object.fromEntries(
    Object.entries(bindings).map(([name, { shape, dtype }]) => {
      const bytes = shape.reduce((product, size) => product * size, bytesOf(dtype));
      const buffer = device.createBuffer({ size: Math.max(16, bytes), usage: STORAGE | COPY_SRC | COPY_DST });
      return [name, keep(buffer)];
    }),
  );
}

/** A way to bind buffers; called for each step, as a caller would. */
type Form = readonly [name: string, bind: (buffers: Readonly<Record<string, GPUBuffer>>) => AnyBindings];

function formsOf(ctx: Context, { bindings }: PlanCall): readonly Form[] {
  const tensors = new Map<GPUBuffer, Tensor>();
  const tensorOf = (name: string, buffer: GPUBuffer): Tensor => {
    const { shape, dtype } = bindings[name] as (typeof bindings)[string];
    const tensor = tensors.get(buffer) ?? ctx.fromBuffer(buffer, shape, { dtype });
    tensors.set(buffer, tensor);
    return tensor;
  };
  const all =
    (bind: (name: string, buffer: GPUBuffer) => object): Form[1] =>
    (buffers) =>
      Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, bind(name, buffer)]));
  return [
    ['tensors', all(tensorOf)],
    ['parts of buffers', all((_, buffer) => ({ buffer, offset: 0 }))],
  ];
}

/** Encodes ten steps with each form of two sets of buffers: the first with each set binds it, and after that nothing is made. */
async function watch(
  ctx: Context,
  calls: Calls,
  keep: Keep,
  device: GPUDevice,
  call: PlanCall,
  policy: Partial<Policy>,
): Promise<AnyPlan> {
  const plan = await makePlan(ctx, keep, call, policy);
  // The real device's encoder: what is counted is the library's.
  const encoder = device.createCommandEncoder();
  const what = `${nameOf(call)}, ${JSON.stringify(policy)}`;
  const sets = [buffersFor(device, keep, call), buffersFor(device, keep, call)] as const;
  const forms = formsOf(ctx, call);
  for (const set of sets) {
    const bindings = forms[0]?.[1](set) as AnyBindings;
    calls.clear();
    plan.encode(encoder, bindings);
    // Parameters, and for class indices a census.
    const own = call.bindings['targets']?.dtype === 'i32' ? 2 : 1;
    equal(calls.of('createBuffer'), own, `${what}: buffers of the first step`);
    assert(calls.of('createBindGroup') > 0, `${what}: the first step binds; without that this shows nothing`);
    equal(calls.of('submit') + calls.of('writeBuffer'), 0, `${what}: what the first step gives to the queue`);
    equal(calls.of('pushErrorScope'), calls.of('popErrorScope'), `${what}: error scopes`);
  }
  for (const [form, bind] of forms) {
    const bindings = sets.map(bind);
    calls.clear();
    for (let k = 0; k < 5; k++) {
      for (const set of k === 0 ? bindings : sets.map(bind)) plan.encode(encoder, set);
    }
    const pass = encoder.beginComputePass();
    for (const set of bindings) plan.encode(pass, set);
    pass.end();
    equal(calls.toString(), 'nothing', `${what}: what steps on ${form} asked of the device`);
  }
  encoder.finish();
  return plan;
}

function steadyCheck(call: PlanCall): Check {
  return gpuCheck(`steady state: ${nameOf(call)}`, async (env, keep, device) => {
    const calls = new Calls();
    const ctx = keep(await contextOn(env, counting(calls)));
    for (const policy of POLICIES) await watch(ctx, calls, keep, device, call, policy);
  });
}

function chunkedCheck(call: PlanCall): Check {
  return gpuCheck(`steady state, in chunks: ${nameOf(call)}`, async (env, keep, device) => {
    const calls = new Calls();
    const ctx = keep(
      await contextOn(env, {
        ...counting(calls),
        limits: (own) => intercept(own, { maxStorageBufferBindingSize: () => SMALL_BINDING }),
      }),
    );
    const plan = await watch(ctx, calls, keep, device, call, {});
    // In several dispatches of a pass, or in passes of the same kernel.
    const kernels = new Set(plan.passes.map(({ variant }) => variant));
    assert(
      kernels.size < plan.passes.length || plan.passes.some(({ grids }) => grids.length > 1),
      `${nameOf(call)}: ${SMALL_BINDING} bytes hold it all`,
    );
  });
}

/** What is remembered of a buffer must not be taken for another part of it. */
const movingPartCheck = gpuCheck(
  'steady state: one buffer bound at one place after another',
  async ({ ctx }, keep, device) => {
    const shape = [2, 8];
    const data = [values(16), probabilities(2, 8)];
    const [here, there] = [0, 256];
    const words = new Float32Array(there / 4 + 16);
    words.set(data[0] as Float32Array, here / 4);
    words.set(data[1] as Float32Array, there / 4);
    const buffer = keep(foreignBuffer(device, words));
    const plan = keep(await planSoftmax(ctx, { shape }));
    const part: { buffer: GPUBuffer; offset: number; size?: number } = { buffer, offset: here };
    for (const [offset, source] of [
      [here, data[0]],
      [there, data[1]],
      [here, data[0]],
    ] as const) {
      part.offset = offset;
      const [output, expected] = [0, 1].map(() => keep(ctx.tensor(new Float32Array(16), shape))) as [
        Tensor,
        Tensor,
      ];
      step(ctx, plan, { logits: part as never, output });
      step(ctx, plan, { logits: keep(ctx.tensor(source as Float32Array, shape)), output: expected });
      sameBits(await output.read(), await expected.read(), `softmax of the part at byte ${offset}`);
    }
    const output = keep(ctx.tensor(new Float32Array(16), shape));
    const wrong = (fields: object) => () => step(ctx, plan, { logits: { buffer, ...fields }, output });
    await refusesAll(InvalidArgumentError, 'throws', [
      ['behind the end', wrong({ offset: 260 }), /logits.*64 bytes from byte 260.*320/],
      ['half an element', wrong({ offset: 2 }), /logits.*2.*multiple of 4/],
      ['a size too small', wrong({ offset: here, size: 32 }), /logits.*size is 32.*64 bytes/],
      ['a misspelt offset', wrong({ ofset: there }), /unknown option 'ofset'/],
    ]);
  },
);
