import { backendOf, Context } from '../context.js';
import { type FloatDType, isFloat } from '../dtype.js';
import { invalid } from '../errors.js';
import type { PassSummary } from '../plan/plan.js';
import type { Policy } from '../plan/policy.js';
import { checkShape, type Layout, layoutOf } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import type { PlanBinding } from './planBindings.js';

export type { PlanBinding } from './planBindings.js';

/** An operation made ready: pipelines compiled, scratch allocated, to be encoded step after step. */
export interface OpPlan<Bindings extends object> {
  /** What runs, in order; empty on the CPU. */
  readonly passes: readonly PassSummary[];
  /**
   * Bytes of GPU memory that the plan holds, besides what it keeps for each set of buffers: parameters, 256 bytes a dispatch on most
   * devices, and 16 bytes of what class indices were found to be.
   */
  readonly scratchBytes: number;
  /**
   * Records the work into the caller's encoder or compute pass; submits nothing, so results hold what they held before until the caller
   * submits. The first call with a set of buffers binds them, later
   * ones create nothing on the device. On a CPU context it runs at once, and the encoder may be undefined. It does not wait for calls that
   * were not awaited.
   *
   * @throws InvalidArgumentError for bindings that are missing, too many, or of another shape or dtype; DeviceLostError.
   */
  encode(encoder: GPUCommandEncoder | GPUComputePassEncoder | undefined, bindings: Bindings): void;
  /**
   * Frees what the plan keeps for sets of buffers that it has not met for long; the last 64 stay bound. For loops whose buffers are
   * always new ones. Only after the work that uses them was submitted.
   */
  trim(): void;
  /** Frees scratch and parameters. Only after the work that uses them was submitted. */
  destroy(): void;
}

/** The bindings of a plan with one input and one output. */
export interface OutputBindings {
  /** The matrix of logits: the plan's `shape` and `dtype`. */
  readonly logits: PlanBinding;
  /** What the operation gives: its shape and dtype. */
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
  /** Overrides of the tuning policy for this plan. */
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
    invalid(op, `dtype is '${String(dtype)}'; use 'f32', 'f16' or 'bf16'.`);
  }
  const layout = split(op, shape, axis);
  const length = shape.at(-1) ?? 1;
  if (rowStride === undefined || rowStride === length)
    return { layout, logits: { shape: layout.shape, dtype, access: 'in' } };
  if (!Number.isSafeInteger(rowStride) || rowStride < length || layout.axis !== shape.length - 1) {
    invalid(op, `rowStride is ${rowStride}; use a whole number from ${length}, with the class axis last.`, {
      shapes: { logits: shape },
    });
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
    invalid(op, 'the first argument must be a context, from createContext().');
  }
  const { backend, policy } = backendOf(context);
  const merged = backend.wishes(op, wishes, policy);
  const [executable, { ContextPlan }] = await Promise.all([
    backend.plan(spec, merged),
    import('./contextPlan.js'),
  ]);
  return new ContextPlan(context, spec, executable);
}
