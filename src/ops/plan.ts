import type { Executable, Operand, Operands } from '../backend.js';
import { backendOf, Context } from '../context.js';
import { bytesOf, type FloatDType, isFloat } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptions } from '../options.js';
import type { PassSummary } from '../plan/plan.js';
import { checkPolicy, type Policy } from '../plan/policy.js';
import { checkShape, formatShape, type Layout, layoutOf, sameShape, spanOf } from '../shape.js';
import type { Role, Roles, Spec } from '../spec.js';
import { setWork, Tensor, usableState } from '../tensor.js';

/** A tensor, or a part of a GPU buffer: dense elements of the dtype that the plan has. */
export type PlanBinding =
  | Tensor
  | { readonly buffer: GPUBuffer; readonly offset?: number; readonly size?: number };

/** An operation made ready: pipelines compiled, scratch allocated, to be encoded step after step. */
export interface OpPlan<Bindings extends object> {
  /** What runs, in order; empty on the CPU. */
  readonly passes: readonly PassSummary[];
  /** Bytes of GPU memory that the plan holds besides its parameters. */
  readonly scratchBytes: number;
  /**
   * Records the work into the caller's encoder or compute pass; submits nothing, so results hold what they held before until the caller
   * submits. The first call with a set of buffers binds them, later
   * ones create nothing on the device. On a CPU context it runs at once, and the encoder may be undefined.
   *
   * @throws InvalidArgumentError for bindings that are missing, too many, or of another shape or dtype; DeviceLostError.
   */
  encode(encoder: GPUCommandEncoder | GPUComputePassEncoder | undefined, bindings: Bindings): void;
  /** Frees scratch and parameters. Only after the work that uses them was submitted. */
  destroy(): void;
}

/** The bindings of a plan with one input and one output. */
export interface OutputBindings {
  readonly logits: PlanBinding;
  readonly output: PlanBinding;
}

/** Shape and dtype of what a plan works on. */
export interface PlanOptions {
  /** Shape of the logits, or of what an op takes in their place. */
  readonly shape: readonly number[];
  /** Of the logits, probabilities and gradients: `'f32'` (default), `'f16'` or `'bf16'`. What has one value a row is f32. */
  readonly dtype?: FloatDType;
  /** The class axis; default -1. */
  readonly axis?: number;
  /** Elements from one of their rows to the next, for padded rows. Other bindings are dense. */
  readonly rowStride?: number;
  readonly policy?: Partial<Policy>;
}

/** The options of `PlanOptions`. */
export const PLAN_OPTIONS: readonly string[] = ['shape', 'dtype', 'axis', 'rowStride', 'policy'];

/**
 * How the shape of a plan splits, and the role of its logits (or what is in their place); checks what all plans have in common.
 * `split` is for ops without a class axis.
 */
export function logitsOf(
  op: string,
  options: PlanOptions,
  split: typeof layoutOf = layoutOf,
): { readonly layout: Layout; readonly logits: Role } {
  const { shape, dtype = 'f32', axis, rowStride } = options;
  checkShape(op, 'shape', shape);
  if (!isFloat(dtype)) {
    throw new InvalidArgumentError(`${op}: dtype is '${String(dtype)}'; use 'f32', 'f16' or 'bf16'.`, { op });
  }
  const layout = split(op, shape, axis);
  const length = shape.at(-1) ?? 1;
  if (rowStride === undefined || rowStride === length)
    return { layout, logits: { shape: layout.shape, dtype, access: 'in' } };
  if (!Number.isSafeInteger(rowStride) || rowStride < length || layout.axis !== shape.length - 1) {
    throw new InvalidArgumentError(
      `${op}: rowStride is ${rowStride}; use a whole number from ${length}, with the class axis last.`,
      { op, shapes: { logits: shape } },
    );
  }
  return { layout, logits: { shape: layout.shape, dtype, access: 'in', rowStride } };
}

/** The plan of a spec: its policy chosen, its pipelines compiled, its scratch allocated. */
export async function makeExecutable<Bindings extends object>(
  op: string,
  context: Context,
  wishes: Partial<Policy> | undefined,
  spec: Spec,
): Promise<OpPlan<Bindings>> {
  if (!(context instanceof Context)) {
    throw new InvalidArgumentError(`${op}: the first argument must be a context, from createContext().`, {
      op,
    });
  }
  const { backend, policy } = backendOf(context);
  const merged = checkPolicy(op, wishes, backend.facts, policy, backend.reproducible);
  return new ContextPlan(context, spec, await backend.plan(spec, merged));
}

/** Checks bindings and hands them to the backend's executable. */
class ContextPlan implements OpPlan<object> {
  readonly passes: readonly PassSummary[];
  readonly scratchBytes: number;
  private readonly context: Context;
  private readonly spec: Spec;
  private readonly executable: Executable;
  private destroyed = false;

  constructor(context: Context, spec: Spec, executable: Executable) {
    this.context = context;
    this.spec = spec;
    this.executable = executable;
    this.passes = executable.passes;
    this.scratchBytes = executable.scratchBytes;
  }

  encode(encoder: GPUCommandEncoder | GPUComputePassEncoder | undefined, bindings: object): void {
    const { roles } = this.spec;
    if (this.destroyed) this.fail('the plan was destroyed; make a new one.');
    if (typeof bindings !== 'object' || bindings === null) {
      this.fail(`encode needs the bindings: { ${Object.keys(roles).join(', ')} }.`);
    }
    const given = bindings as Readonly<Record<string, PlanBinding | undefined>>;
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(roles, name) && given[name] !== undefined) {
        this.fail(
          `there is no binding '${name}' with these options; there are ${Object.keys(roles).join(', ')}.`,
        );
      }
    }
    const operands: Record<string, Operand> = {};
    for (const name of Object.keys(roles)) operands[name] = this.operand(name, roles, given[name]);
    const work = this.executable.encode(encoder, operands as Operands);
    for (const [name, { access }] of Object.entries(roles)) {
      const binding = given[name];
      if (access !== 'in' && binding instanceof Tensor) setWork(binding, work);
    }
  }

  private operand(name: string, roles: Roles, binding: PlanBinding | undefined): Operand {
    const role = roles[name] as Role;
    if (binding === undefined || binding === null)
      return this.fail(`the binding '${name}' is missing; give a tensor of ${formatShape(role.shape)}.`);
    if (!(binding instanceof Tensor)) return this.part(name, role, binding);
    const state = usableState(this.spec.op, name, binding);
    if (binding.context !== this.context) this.fail(`${name} belongs to another context.`);
    if (binding.dtype !== role.dtype) this.fail(`${name} is ${binding.dtype}; the plan has ${role.dtype}.`);
    if (!sameShape(binding.shape, role.shape)) {
      this.fail(`${name} has shape ${formatShape(binding.shape)}; the plan has ${formatShape(role.shape)}.`);
    }
    const length = role.shape.at(-1) ?? 1;
    if (binding.rowStride !== (role.rowStride ?? length)) {
      this.fail(`${name} has rowStride ${binding.rowStride}; the plan has ${role.rowStride ?? length}.`);
    }
    return state;
  }

  private part(name: string, role: Role, part: Exclude<PlanBinding, Tensor>): Operand {
    const { backend } = backendOf(this.context);
    checkOptions(`${this.spec.op}: ${name}`, part, ['buffer', 'offset', 'size']);
    // Own properties only: a polluted prototype must not shift a binding.
    const { buffer, offset = 0, size } = { __proto__: null, ...part } as typeof part;
    const elements = spanOf(role.shape, role.rowStride);
    const bytes = elements * bytesOf(role.dtype);
    const end = buffer?.size ?? 0;
    if (size !== undefined && !(Number.isSafeInteger(size) && size >= bytes && offset + size <= end)) {
      this.fail(`${name}: size is ${size}; the plan needs ${bytes} bytes, the buffer has ${end} in all.`);
    }
    return backend.adopt(`${this.spec.op}.${name}`, buffer, offset, elements, role.dtype);
  }

  private fail(message: string): never {
    throw new InvalidArgumentError(`${this.spec.op}: ${message}`, { op: this.spec.op });
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.executable.destroy();
  }
}
