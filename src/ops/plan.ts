import type { Executable, Operand, Operands } from '../backend.js';
import { backendOf, Context } from '../context.js';
import { type DType, ELEMENT_BYTES } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptions } from '../options.js';
import type { PassSummary } from '../plan/plan.js';
import { checkPolicy, type Policy } from '../plan/policy.js';
import { checkShape, formatShape, type Layout, layoutOf, rowShape, sameShape, spanOf } from '../shape.js';
import type { Role, Roles, Spec } from '../spec.js';
import { setWork, Tensor, usableState } from '../tensor.js';
import { type CrossEntropyTerms, checkTerms, TERMS } from './crossEntropy.js';
import { crossEntropySpec } from './crossEntropySpec.js';
import { checkKeepDims, logSumExpSpec } from './logSumExp.js';
import { logSoftmaxSpec, softmaxSpec } from './softmax.js';
import { checkScale } from './temperature.js';

/** A tensor, or a part of a GPU buffer: dense f32, i32 or u32 elements, as the plan has it. */
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
  /** Shape of the logits. */
  readonly shape: readonly number[];
  /** Default `'f32'`. */
  readonly dtype?: DType;
  /** The class axis; default -1. */
  readonly axis?: number;
  /** Elements from one row of the logits to the next, for padded rows. */
  readonly rowStride?: number;
  readonly policy?: Partial<Policy>;
}

const PLAN_OPTIONS: readonly string[] = ['shape', 'dtype', 'axis', 'rowStride', 'policy'];
/** The terms without `axis`, which every plan has. */
const PLAN_TERMS: readonly string[] = TERMS.filter((name) => name !== 'axis');

export interface PlanSoftmaxOptions extends PlanOptions {
  /** The logits are divided by it first; above 0. Default 1. */
  readonly temperature?: number;
}

/** A plan of `softmax`; binds `logits` and `output`, both of `shape`. */
export async function planSoftmax(
  context: Context,
  options: PlanSoftmaxOptions,
): Promise<OpPlan<OutputBindings>> {
  checkOptions('planSoftmax', options, [...PLAN_OPTIONS, 'temperature']);
  const { temperature = 1 } = options;
  checkScale('planSoftmax', 'temperature', temperature);
  const { layout, logits } = logitsOf('planSoftmax', options);
  return makeExecutable('planSoftmax', context, options.policy, softmaxSpec(layout, logits, temperature));
}

/** A plan of `logSoftmax`; binds `logits` and `output`, both of `shape`. */
export async function planLogSoftmax(
  context: Context,
  options: PlanSoftmaxOptions,
): Promise<OpPlan<OutputBindings>> {
  checkOptions('planLogSoftmax', options, [...PLAN_OPTIONS, 'temperature']);
  const { temperature = 1 } = options;
  checkScale('planLogSoftmax', 'temperature', temperature);
  const { layout, logits } = logitsOf('planLogSoftmax', options);
  return makeExecutable(
    'planLogSoftmax',
    context,
    options.policy,
    logSoftmaxSpec(layout, logits, temperature),
  );
}

export interface PlanLogSumExpOptions extends PlanOptions {
  /** Keep the class axis of the output, with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** A plan of `logSumExp`; binds `logits` and `output`, one value a row. */
export async function planLogSumExp(
  context: Context,
  options: PlanLogSumExpOptions,
): Promise<OpPlan<OutputBindings>> {
  checkOptions('planLogSumExp', options, [...PLAN_OPTIONS, 'keepDims']);
  const { layout, logits } = logitsOf('planLogSumExp', options);
  const { keepDims = false } = options;
  checkKeepDims('planLogSumExp', keepDims);
  const spec = logSumExpSpec(layout, logits, keepDims);
  return makeExecutable('planLogSumExp', context, options.policy, spec);
}

export interface PlanCrossEntropyOptions extends PlanOptions, CrossEntropyTerms {
  /** `'index'`: class indices, one a row. `'probs'`: probabilities, the shape of the logits. */
  readonly targets: 'index' | 'probs';
  /** Dtype of class indices: `'i32'` (default) or `'u32'`. */
  readonly targetDtype?: 'i32' | 'u32';
  /** True: `weight`, one for each class, is a binding. */
  readonly weight?: boolean;
  /** A number (default 1), or a binding: `'rows'` one value a row (reduction 'none'), `'scalar'` one value (reduced). */
  readonly gradOutput?: number | 'rows' | 'scalar';
}

/** The bindings of a cross-entropy plan; all that its options ask for must be there, and no others. */
export interface CrossEntropyBindings {
  readonly logits: PlanBinding;
  readonly targets: PlanBinding;
  readonly loss: PlanBinding;
  /** With `weight: true`. */
  readonly weight?: PlanBinding;
  /** With `gradOutput: 'rows'` or `'scalar'`. */
  readonly gradOutput?: PlanBinding;
  /** With `grad: true`. In place, the gradient goes over the logits. */
  readonly grad?: PlanBinding;
  /** With `gradTargets: true`. */
  readonly gradTargets?: PlanBinding;
  /** With `returnLogSumExp: true`. */
  readonly logSumExp?: PlanBinding;
}

/**
 * A plan of `crossEntropy`, for a training loop: each `encode` computes the loss (and gradient) from what the buffers then hold.
 *
 * A target out of range makes its row NaN, and `read()` of the tensors bound as results reject with `TargetOutOfRangeError`.
 */
export async function planCrossEntropy(
  context: Context,
  options: PlanCrossEntropyOptions,
): Promise<OpPlan<CrossEntropyBindings>> {
  const op = 'planCrossEntropy';
  checkOptions(op, options, [
    ...PLAN_OPTIONS,
    ...PLAN_TERMS,
    'targets',
    'targetDtype',
    'weight',
    'gradOutput',
  ]);
  const { layout, logits } = logitsOf(op, options);
  const { targets, targetDtype = 'i32', weight = false, gradOutput = 1 } = options;
  const fail = (message: string): never => {
    throw new InvalidArgumentError(`${op}: ${message}`, { op, shapes: { logits: layout.shape } });
  };
  if (targets !== 'index' && targets !== 'probs')
    fail(`targets is '${String(targets)}'; use 'index' or 'probs'.`);
  if (targetDtype !== 'i32' && targetDtype !== 'u32')
    fail(`targetDtype is '${String(targetDtype)}'; use 'i32' or 'u32'.`);
  if (typeof weight !== 'boolean') fail('weight must be true or false; the tensor is a binding of encode.');
  const isProbs = targets === 'probs';
  const terms = checkTerms(op, { gradTargets: false, ...options }, layout, isProbs);
  const wanted = terms.reduction === 'none' ? 'rows' : 'scalar';
  if (typeof gradOutput !== 'number' && gradOutput !== wanted) {
    fail(
      `gradOutput is '${String(gradOutput)}'; for reduction '${terms.reduction}' use a number or '${wanted}'.`,
    );
  }
  const perRow = rowShape(layout);
  const upstream: Role =
    wanted === 'rows'
      ? { shape: perRow, dtype: 'f32', access: 'in' }
      : { shape: [], dtype: 'f32', access: 'in', broadcast: true };
  const spec = crossEntropySpec({
    ...terms,
    layout,
    logits,
    targets: isProbs
      ? { shape: layout.shape, dtype: 'f32', access: 'in' }
      : { shape: perRow, dtype: targetDtype, access: 'in' },
    weight: weight ? { shape: [layout.classes], dtype: 'f32', access: 'in' } : undefined,
    gradOutput: typeof gradOutput === 'number' ? gradOutput : upstream,
  });
  return makeExecutable(op, context, options.policy, spec);
}

/** Checks what all plans have in common. */
function logitsOf(op: string, options: PlanOptions): { readonly layout: Layout; readonly logits: Role } {
  const { shape, dtype = 'f32', axis, rowStride } = options;
  checkShape(op, 'shape', shape);
  if (dtype !== 'f32')
    throw new InvalidArgumentError(`${op}: dtype is '${String(dtype)}'; use 'f32'.`, { op });
  const layout = layoutOf(op, shape, axis);
  const length = shape.at(-1) as number;
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

async function makeExecutable<Bindings extends object>(
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
    const bytes = spanOf(role.shape, role.rowStride) * ELEMENT_BYTES;
    const end = buffer?.size ?? 0;
    if (size !== undefined && !(Number.isSafeInteger(size) && size >= bytes && offset + size <= end)) {
      this.fail(`${name}: size is ${size}; the plan needs ${bytes} bytes, the buffer has ${end} in all.`);
    }
    return backend.adopt(`${this.spec.op}.${name}`, buffer, offset, bytes);
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
