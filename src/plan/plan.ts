import type { AdapterFacts } from '../info.js';
import type { Spec } from '../spec.js';
import type { Arithmetic } from './arithmetic.js';
import { type Pass, PassBuilder } from './pass.js';
import type { Policy } from './policy.js';
import { keyOf } from './variant.js';

/** Everything that will happen on the GPU for a call: data only, made without a device. */
export interface Plan {
  readonly spec: Spec;
  readonly passes: readonly Pass[];
  /** Scratch buffers by name, in bytes. */
  readonly scratch: ReadonlyMap<string, number>;
  readonly scratchBytes: number;
}

/** What a pass is, for people: see `passes` of a public plan. */
export interface PassSummary {
  /** Which shader runs: epilogue, kernel, workgroup size, statistic, bindings. */
  readonly variant: string;
  /** Workgroups of each dispatch, `[x, y]`; more than one where the rows do not fit in one binding. */
  readonly grids: readonly (readonly [number, number])[];
  /** Bytes of tensors and scratch that it reads and writes, each element counted once, however often it is read. */
  readonly bytes: number;
}

/**
 * Spec, adapter, wishes and arithmetic in, passes out. Throws `LimitExceededError` where the adapter is too small, and
 * `InvalidArgumentError` where the arithmetic does not cover the op.
 */
export async function makePlan(
  spec: Spec,
  facts: AdapterFacts,
  wishes: Partial<Policy>,
  arithmetic?: Arithmetic,
): Promise<Plan> {
  const makePasses = await spec.passes();
  const builder = new PassBuilder(spec.op, spec.roles, facts, wishes, arithmetic);
  const passes = makePasses(builder);
  const { scratch, scratchBytes } = builder;
  return { spec, passes, scratch, scratchBytes };
}

export function summarize(passes: readonly Pass[]): readonly PassSummary[] {
  return passes.map(({ variant, dispatches, bytes }) => ({
    variant: keyOf(variant),
    grids: dispatches.map(({ grid }) => grid),
    bytes,
  }));
}
