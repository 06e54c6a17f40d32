import { checkAliasing } from '../aliasing.js';
import type { Executable, GpuStorage, Operands } from '../backend.js';
import { invalid, type LossError } from '../errors.js';
import { type Plan, summarize } from '../plan/plan.js';
import type { Spec } from '../spec.js';
import type { Verdict, Work } from '../work.js';
import type { GpuBackend } from './backend.js';
import { type Bound, bindPlan } from './binding.js';
import { CENSUS } from './census.js';
import type { LossDevice } from './device.js';
import { encodeAll, inputWorks, rolesRead, workOf } from './encoding.js';
import type { Pipeline } from './pipelines.js';

/** Sets of buffers that a plan stays bound to; a training loop has one or two, a ring of buffers some more. */
export const MOST_BOUND = 64;

/** Makes a plan ready to be encoded: allocates its scratch, all but the census. */
export async function openExecutable(
  backend: GpuBackend,
  runtime: LossDevice,
  plan: Plan,
  pipelines: readonly Pipeline[],
): Promise<Executable> {
  const { op } = plan.spec;
  runtime.check(op);
  const shared = new Map([...plan.scratch].filter(([name]) => name !== CENSUS));
  const { result: scratch, failure } = runtime.scoped(op, () => backend.createScratch(op, shared));
  const error = await failure;
  if (error !== undefined) {
    for (const buffer of scratch.values()) buffer.destroy();
    throw error;
  }
  return new GpuExecutable(backend, runtime, plan, pipelines, scratch);
}

/** A plan with its pipelines and scratch; bound once to each set of buffers it meets. */
class GpuExecutable implements Executable {
  readonly passes: Executable['passes'];
  readonly scratchBytes: number;
  readonly #backend: GpuBackend;
  readonly #runtime: LossDevice;
  readonly #plan: Plan;
  readonly #pipelines: readonly Pipeline[];
  readonly #scratch: ReadonlyMap<string, GPUBuffer>;
  readonly #bound: BoundSet[] = [];
  readonly #retired: BoundSet[] = [];

  constructor(
    backend: GpuBackend,
    runtime: LossDevice,
    plan: Plan,
    pipelines: readonly Pipeline[],
    scratch: ReadonlyMap<string, GPUBuffer>,
  ) {
    this.#backend = backend;
    this.#runtime = runtime;
    this.#plan = plan;
    this.#pipelines = pipelines;
    this.#scratch = scratch;
    this.passes = summarize(plan.passes);
    this.scratchBytes = [...scratch.values()].reduce((sum, { size }) => sum + size, 0);
  }

  encode(encoder: GPUCommandEncoder | GPUComputePassEncoder | undefined, operands: Operands): Work {
    const { op } = this.#plan.spec;
    this.#runtime.check(op);
    if (!isEncoder(encoder)) {
      invalid(op, `encode needs a GPUCommandEncoder or a GPUComputePassEncoder of the context's device.`);
    }
    const set = this.#boundTo(operands);
    encodeAll(encoder, set.bound.dispatches);
    return set.workFor(operands);
  }

  trim(): void {
    for (const set of this.#retired.splice(0)) set.destroy();
  }

  destroy(): void {
    this.trim();
    for (const set of this.#bound.splice(0)) set.destroy();
    for (const buffer of this.#scratch.values()) buffer.destroy();
  }

  /** The set of these buffers; the most recent one first. */
  #boundTo(operands: Operands): BoundSet {
    const at = this.#bound.findIndex((set) => set.isOf(operands));
    if (at === 0) return this.#bound[0] as BoundSet;
    const [known] = at > 0 ? this.#bound.splice(at, 1) : [];
    const set = known ?? this.#bind(operands);
    this.#bound.unshift(set);
    // A set that falls out may still be in a command buffer that is not submitted yet, so it waits for `trim` or the plan's end.
    if (this.#bound.length > MOST_BOUND) this.#retired.push(this.#bound.pop() as BoundSet);
    return set;
  }

  /** Each set has its own census, so that what is read of one set does not depend on the targets of another. */
  #bind(operands: Operands): BoundSet {
    const plan = this.#plan;
    const backend = this.#backend;
    const { spec } = plan;
    checkAliasing(spec, operands);
    const own = new Map([...plan.scratch].filter(([name]) => name === CENSUS));
    const { result, failure } = this.#runtime.scoped(spec.op, () => {
      const census = backend.createScratch(spec.op, own);
      const scratch = new Map([...this.#scratch, ...census]);
      try {
        const bound = bindPlan(backend.device, backend.facts, plan, this.#pipelines, scratch, operands);
        return { bound, verdict: backend.verdictOf(spec, census.get(CENSUS)) };
      } catch (error) {
        for (const buffer of census.values()) buffer.destroy();
        throw error;
      }
    });
    return new BoundSet(spec, result.bound, failure, result.verdict, operands);
  }
}

/** A plan on one set of buffers. */
class BoundSet {
  readonly bound: Bound;
  readonly #spec: Spec;
  readonly #failure: Promise<LossError | undefined>;
  readonly #verdict: Verdict | undefined;
  readonly #storages: readonly (readonly [string, GpuStorage])[];
  readonly #reads: readonly string[];
  #inputs: readonly Work[] = [];
  #work: Work | undefined;

  constructor(
    spec: Spec,
    bound: Bound,
    failure: Promise<LossError | undefined>,
    verdict: Verdict | undefined,
    operands: Operands,
  ) {
    this.#spec = spec;
    this.bound = bound;
    this.#failure = failure;
    this.#verdict = verdict;
    verdict?.retain();
    this.#storages = Object.entries(operands).map(([name, { storage }]) => [name, storage as GpuStorage]);
    this.#reads = rolesRead(spec);
  }

  isOf(operands: Operands): boolean {
    for (const [name, { buffer, byteOffset }] of this.#storages) {
      const other = operands[name]?.storage as GpuStorage;
      if (other.buffer !== buffer || other.byteOffset !== byteOffset) return false;
    }
    return true;
  }

  destroy(): void {
    this.bound.params.destroy();
    this.#verdict?.release();
  }

  /** The work of the outputs; made anew only when the story of an input has changed. */
  workFor(operands: Operands): Work {
    if (this.#work === undefined || this.#reads.some((name, i) => this.#isNews(operands[name]?.work, i))) {
      this.#inputs = inputWorks(this.#spec, operands);
      this.#work = workOf(this.#spec, operands, this.#failure, this.#verdict);
    }
    return this.#work;
  }

  /** What is written in place comes back with this set's own story, which holds those of the inputs already. */
  #isNews(work: Work | undefined, input: number): boolean {
    return work !== this.#inputs[input] && work !== this.#work;
  }
}

/** Told apart by what they can do: a foreign device may come from another global scope. */
function isEncoder(value: unknown): value is GPUCommandEncoder | GPUComputePassEncoder {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('dispatchWorkgroups' in value || 'beginComputePass' in value)
  );
}
