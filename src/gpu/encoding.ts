// What a single call and a plan have in common.
import type { Operand, Operands } from '../backend.js';
import type { LossError } from '../errors.js';
import type { Spec } from '../spec.js';
import { deriveWork, type Verdict, type Work } from '../work.js';
import type { BoundDispatch } from './binding.js';

/** The roles whose contents an execution reads. */
export function rolesRead({ roles }: Spec): string[] {
  return Object.keys(roles).filter((name) => roles[name]?.access !== 'out');
}

export function inputWorks(spec: Spec, operands: Operands): Work[] {
  return rolesRead(spec).map((name) => (operands[name] as Operand).work);
}

/** The work of a call's outputs: its own outcome and verdict, and those of what it read. */
export function workOf(
  spec: Spec,
  operands: Operands,
  failure: Promise<LossError | undefined>,
  verdict: Verdict | undefined,
): Work {
  return deriveWork(inputWorks(spec, operands), failure, verdict === undefined ? [] : [verdict]);
}

/** Each call of an encoder costs about as much as all of a step's checks, so none is made twice. */
export function encodeAll(
  encoder: GPUCommandEncoder | GPUComputePassEncoder,
  dispatches: readonly BoundDispatch[],
): void {
  const own = 'beginComputePass' in encoder;
  const pass = own ? encoder.beginComputePass() : encoder;
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, group, grid } of dispatches) {
    // The chunks of a pass share their pipeline.
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(grid[0], grid[1]);
  }
  if (own) pass.end();
}
