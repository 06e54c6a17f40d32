// What encoding a step costs, and how much of it WebGPU itself takes.

import type { Context, OpPlan } from 'webgpu-loss';
import * as library from 'webgpu-loss';
import { bytesOf } from '../../src/dtype.js';
import type { PlanCall } from '../../test/support/everyPlan.js';
import { Commands, silentPass } from './commands.js';
import { type Figures, timeSync } from './time.js';

type AnyPlan = OpPlan<Readonly<Record<string, object>>>;
type Bindings = Readonly<Record<string, object>>;

/** Microseconds of a step, in each form that it has. */
export interface EncodeFigures {
  readonly dispatches: number;
  /** Making the plan: its shaders compiled, unless the context had them already. */
  readonly planMs: number;
  /** The first step with a set of buffers, which binds them. */
  readonly firstUs: number;
  /** Into the caller's compute pass, on tensors, always the same. */
  readonly pass: Figures;
  /** The same calls of WebGPU without the library. */
  readonly floor: Figures;
  /** The library's own part: into a pass that does nothing. */
  readonly own: Figures;
  readonly ownParts: Figures;
  /** Two sets of tensors in turns. */
  readonly twoSets: Figures;
  /** Parts of buffers instead of tensors. */
  readonly parts: Figures;
  /** Into the caller's command encoder: with a compute pass of the plan's own. */
  readonly encoder: Figures;
  readonly encoderFloor: Figures;
}

type MakePlan = (context: Context, options: object) => Promise<AnyPlan>;

/** What the library exports, to be found by the names of plans. */
const MAKERS: Readonly<Record<string, unknown>> = { ...library };

const STORAGE = 0x80; // GPUBufferUsage.STORAGE; the global is missing in Node.

// Recorded commands take memory until their encoder is gone.
const STEPS_PER_ENCODER = 64;

export async function timeEncode(context: Context, call: PlanCall, timeMs: number): Promise<EncodeFigures> {
  const device = context.device as GPUDevice;
  const make = MAKERS[call.plan] as MakePlan;
  const start = performance.now();
  const plan = await make(context, call.options);
  const planMs = performance.now() - start;
  const buffers = [buffersFor(device, call), buffersFor(device, call)] as const;
  try {
    const [first, second] = buffers.map((set) => tensorsOver(context, call, set)) as [Bindings, Bindings];
    const binding = performance.now();
    plan.encode(silentPass, first);
    const firstUs = 1e3 * (performance.now() - binding);
    plan.encode(silentPass, second);

    const commands = new Commands((pass) => plan.encode(pass, first));
    const inPass = (step: (pass: GPUComputePassEncoder) => void): Figures =>
      timeSync(
        timeMs,
        renewed(() => device.createCommandEncoder().beginComputePass(), step),
      );
    const inEncoder = (step: (encoder: GPUCommandEncoder) => void): Figures =>
      timeSync(
        timeMs,
        renewed(() => device.createCommandEncoder(), step),
      );
    const parts = partsOf(buffers[0]);
    let turn = 0;
    return {
      dispatches: commands.dispatches,
      planMs,
      firstUs,
      pass: inPass((pass) => plan.encode(pass, first)),
      floor: inPass((pass) => commands.replay(pass)),
      own: timeSync(timeMs, { step: () => plan.encode(silentPass, first) }),
      ownParts: timeSync(timeMs, { step: () => plan.encode(silentPass, parts) }),
      twoSets: inPass((pass) => plan.encode(pass, turn++ % 2 === 0 ? first : second)),
      parts: inPass((pass) => plan.encode(pass, parts)),
      encoder: inEncoder((encoder) => plan.encode(encoder, first)),
      encoderFloor: inEncoder((encoder) => {
        const pass = encoder.beginComputePass();
        commands.replay(pass);
        pass.end();
      }),
    };
  } finally {
    plan.destroy();
    for (const set of buffers) for (const buffer of Object.values(set)) buffer.destroy();
  }
}

/** A step into what `make` makes, which is made anew now and then, outside of what is timed. */
function renewed<T>(make: () => T, step: (target: T) => void): { prepare(): void; step(): void } {
  let target = make();
  let steps = 0;
  return {
    prepare() {
      steps += 1;
      if (steps % STEPS_PER_ENCODER === 0) target = make();
    },
    step: () => step(target),
  };
}

/** Nothing is submitted, so nothing need be in the buffers. */
function buffersFor(device: GPUDevice, { bindings }: PlanCall): Readonly<Record<string, GPUBuffer>> {
  return Object.fromEntries(
    Object.entries(bindings).map(([name, { shape, dtype }]) => {
      const bytes = shape.reduce((product, size) => product * size, bytesOf(dtype));
      return [name, device.createBuffer({ label: name, size: Math.max(16, bytes), usage: STORAGE })];
    }),
  );
}

function tensorsOver(
  context: Context,
  { bindings }: PlanCall,
  buffers: Readonly<Record<string, GPUBuffer>>,
): Bindings {
  return Object.fromEntries(
    Object.entries(bindings).map(([name, { shape, dtype }]) => [
      name,
      context.fromBuffer(buffers[name] as GPUBuffer, shape, { dtype }),
    ]),
  );
}

function partsOf(buffers: Readonly<Record<string, GPUBuffer>>): Bindings {
  return Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, { buffer, offset: 0 }]));
}
