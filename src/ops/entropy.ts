import type { Context } from '../context.js';
import { checkOptions } from '../options.js';
import { type Layout, layoutOf, rowShape } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, inputRole, type Vector } from './call.js';
import {
  logitsOf,
  makeExecutable,
  type OpPlan,
  PLAN_OPTIONS,
  type PlanBinding,
  type PlanOptions,
} from './plan.js';
import { upstreamOf } from './planRoles.js';
import { checkReductionTerms, type Reduction, type ReductionTerms } from './reduction.js';
import { outputRole, presentRoles } from './roles.js';

export interface EntropyOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
  /** Of the rows' entropies: `'mean'` (default), `'sum'` or `'none'`. */
  readonly reduction?: Reduction;
  /** Also the gradient with respect to the logits. Default false. */
  readonly grad?: boolean;
  /** Upstream gradient: a number or a tensor of shape [] if reduced; a number or one value a row for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

/** What `entropy` gives. */
export interface EntropyResult {
  /** Shape [] if reduced, otherwise the logits' shape without the class axis; in nats. */
  readonly entropy: Tensor;
  /** With `grad`: the shape of the logits. */
  readonly grad?: Tensor;
}

/**
 * Entropy H(p) = -sum_j p_j log p_j of p = softmax(logits), in nats; 0 log 0 = 0.
 *
 * Computed as log S + sum_j p_j (max - x_j), two terms that are never negative, so that small entropies keep their digits.
 * A row with NaN, +Inf or only -Inf gives NaN. Gradient: p_j ((max - x_j) - sum_i p_i (max - x_i)).
 *
 * @param logits f32, f16 or bf16, any shape.
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export async function entropy(logits: Tensor, options: EntropyOptions = {}): Promise<EntropyResult> {
  const op = 'entropy';
  checkOptions(op, options, ['axis', 'reduction', 'grad', 'gradOutput', ...CALL_OPTIONS]);
  const { axis, gradOutput = 1 } = options;
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  const terms = checkReductionTerms(op, options);
  const layout = layoutOf(op, logits.shape, axis);
  return call.run<EntropyResult>(
    entropySpec({
      ...terms,
      layout,
      logits: inputRole(op, 'logits', logits, layout),
      gradOutput: call.upstream(gradOutput, terms.reduction, rowShape(layout)),
    }),
  );
}

/** An entropy with every choice made. */
export interface EntropySettings extends ReductionTerms {
  readonly layout: Layout;
  readonly logits: Role;
  /** A number, or the role of a tensor: one value a row for 'none', a single one otherwise. */
  readonly gradOutput: number | Role;
}

/** The spec of `entropy`. */
export function entropySpec(settings: EntropySettings): Spec {
  const { layout, logits, gradOutput, reduction, grad } = settings;
  const roles = presentRoles({
    logits,
    gradOutput,
    entropy: outputRole(reduction === 'none' ? rowShape(layout) : []),
    grad: grad && outputRole(layout.shape, logits.dtype),
  });
  return {
    op: 'entropy',
    settings,
    roles,
    passes: async () => {
      const { entropyPasses } = await import('../passes/entropy.js');
      return (build) => entropyPasses(build, settings, roles);
    },
  };
}

export interface PlanEntropyOptions extends PlanOptions, Pick<EntropyOptions, 'reduction' | 'grad'> {
  /** A number (default 1), or a binding: `'rows'` one value a row (reduction 'none'), `'scalar'` one value (reduced). */
  readonly gradOutput?: number | 'rows' | 'scalar';
}

/** The bindings of an entropy plan; all that its options ask for must be there, and no others. */
export interface EntropyBindings {
  /** The matrix of logits: the plan's `shape` and `dtype`. */
  readonly logits: PlanBinding;
  /** f32, in nats: shape [] if reduced, otherwise one value a row. */
  readonly entropy: PlanBinding;
  /** With `gradOutput: 'rows'` or `'scalar'`. */
  readonly gradOutput?: PlanBinding;
  /** With `grad: true`. */
  readonly grad?: PlanBinding;
}

/**
 * A plan of `entropy`.
 *
 * @param options `shape` is that of the logits.
 * @throws InvalidArgumentError, LimitExceededError, OutOfMemoryError, CompileError.
 */
export async function planEntropy(
  context: Context,
  options: PlanEntropyOptions,
): Promise<OpPlan<EntropyBindings>> {
  const op = 'planEntropy';
  checkOptions(op, options, [...PLAN_OPTIONS, 'reduction', 'grad', 'gradOutput']);
  const { layout, logits } = logitsOf(op, options);
  const { gradOutput = 1 } = options;
  const terms = checkReductionTerms(op, options);
  const upstream = upstreamOf(op, gradOutput, terms.reduction, layout);
  const spec = entropySpec({ ...terms, layout, logits, gradOutput: upstream });
  return makeExecutable(op, context, options.policy, spec);
}
