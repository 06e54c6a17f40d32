// What is made of a plan that is ready: loaded by the first one.
import type { Executable } from '../backend.js';
import type { Context } from '../context.js';
import { invalid } from '../errors.js';
import type { PassSummary } from '../plan/plan.js';
import type { Spec } from '../spec.js';
import type { OpPlan } from './plan.js';
import { PlanBindings } from './planBindings.js';

/** Checks bindings and hands them to the backend's executable. */
export class ContextPlan implements OpPlan<object> {
  readonly passes: readonly PassSummary[];
  readonly scratchBytes: number;
  readonly #op: string;
  readonly #bindings: PlanBindings;
  readonly #executable: Executable;
  #destroyed = false;

  constructor(context: Context, spec: Spec, executable: Executable) {
    this.#op = spec.op;
    this.#bindings = new PlanBindings(context, spec);
    this.#executable = executable;
    this.passes = executable.passes;
    this.scratchBytes = executable.scratchBytes;
  }

  encode(encoder: GPUCommandEncoder | GPUComputePassEncoder | undefined, bindings: object): void {
    if (this.#destroyed) {
      invalid(this.#op, 'the plan was destroyed; make a new one.');
    }
    const operands = this.#bindings.operands(bindings);
    this.#bindings.deliver(bindings, this.#executable.encode(encoder, operands));
  }

  trim(): void {
    if (!this.#destroyed) this.#executable.trim();
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#executable.destroy();
  }
}
