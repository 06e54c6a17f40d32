import type { Context } from '../context.js';
import { invalid } from '../errors.js';
import { checkOptions } from '../options.js';
import { type Layout, layoutOf, rowShape } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, type IndexTargets, inputRole, type Vector } from './call.js';
import {
  logitsOf,
  makeExecutable,
  type OpPlan,
  PLAN_OPTIONS,
  type PlanBinding,
  type PlanOptions,
} from './plan.js';
import { indicesRole, optionalRole, upstreamOf } from './planRoles.js';
import { checkReductionTerms, type Reduction, type ReductionTerms } from './reduction.js';
import { outputRole, presentRoles } from './roles.js';

export interface NllLossOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
  /** A weight for each class, shape [classes]. */
  readonly weight?: Vector;
  /** Targets equal to it contribute nothing, and their gradient is exactly 0. Default -100. */
  readonly ignoreIndex?: number;
  /** `'mean'` (default) divides by the weight of the kept rows; `'sum'` adds up; `'none'` gives one loss a row. */
  readonly reduction?: Reduction;
  /** Also the gradient with respect to the log-probabilities. Default false. */
  readonly grad?: boolean;
  /** Upstream gradient: a number or a tensor of shape [] if reduced; a number or one value a row for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

/** What `nllLoss` gives. */
export interface NllLossResult {
  /** Shape [] if reduced, otherwise the shape of the log-probabilities without the class axis. */
  readonly loss: Tensor;
  /** With `grad`: the shape of the log-probabilities. */
  readonly grad?: Tensor;
}

/**
 * Negative log-likelihood -w_t logProbs_t of class-index targets, as PyTorch's `nll_loss`.
 *
 * Takes whatever `logProbs` holds; `logSoftmax` makes them, and `crossEntropy` does both in one go.
 *
 * @param logProbs f32, f16 or bf16, any shape.
 * @param targets i32 or u32: class indices, the shape without the class axis. One out of range makes its row NaN, and `read()` reject
 *   with `TargetOutOfRangeError`.
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export async function nllLoss(
  logProbs: Tensor,
  targets: IndexTargets,
  options: NllLossOptions = {},
): Promise<NllLossResult> {
  const op = 'nllLoss';
  checkOptions(op, options, ['axis', 'weight', ...TERMS, 'gradOutput', ...CALL_OPTIONS]);
  const { axis, weight, gradOutput = 1 } = options;
  const call = new Call(op, 'logProbs', logProbs, options);
  call.matrix('logProbs', logProbs);
  const terms = checkTerms(op, options);
  const layout = layoutOf(op, logProbs.shape, axis);
  const perRow = rowShape(layout);
  const targetTensor = call.vector('targets', targets, ['i32', 'u32'], [perRow]);
  const weightTensor =
    weight === undefined ? undefined : call.vector('weight', weight, ['f32'], [[layout.classes]]);
  return call.run<NllLossResult>(
    nllLossSpec({
      ...terms,
      layout,
      logProbs: inputRole(op, 'logProbs', logProbs, layout),
      targets: inputRole(op, 'targets', targetTensor),
      weight: weightTensor && inputRole(op, 'weight', weightTensor),
      gradOutput: call.upstream(gradOutput, terms.reduction, perRow),
    }),
  );
}

/** What shapes the loss, shared by `nllLoss` and `planNllLoss`. */
type NllLossTerms = Pick<NllLossOptions, 'ignoreIndex' | 'reduction' | 'grad'>;

const TERMS: readonly string[] = ['ignoreIndex', 'reduction', 'grad'];

/** Checks the terms, and fills in the defaults. */
function checkTerms(
  op: string,
  { ignoreIndex = -100, ...terms }: NllLossTerms,
): ReductionTerms & Required<NllLossTerms> {
  if (!Number.isSafeInteger(ignoreIndex)) {
    invalid(op, `ignoreIndex is ${String(ignoreIndex)}; use a whole number.`);
  }
  return { ignoreIndex, ...checkReductionTerms(op, terms) };
}

/** A negative log-likelihood with every choice made. */
export interface NllLossSettings extends Required<NllLossTerms> {
  readonly layout: Layout;
  readonly logProbs: Role;
  /** Class indices, one a row. */
  readonly targets: Role;
  readonly weight: Role | undefined;
  /** A number, or the role of a tensor: one value a row for 'none', a single one otherwise. */
  readonly gradOutput: number | Role;
}

/** The spec of `nllLoss`. */
export function nllLossSpec(settings: NllLossSettings): Spec {
  const { layout, logProbs, targets, weight, gradOutput, reduction, grad } = settings;
  const { shape, rows, classes } = layout;
  const roles = presentRoles({
    logProbs,
    targets,
    weight,
    gradOutput,
    loss: outputRole(reduction === 'none' ? rowShape(layout) : []),
    grad: grad && outputRole(shape, logProbs.dtype),
  });
  return {
    op: 'nllLoss',
    settings,
    roles,
    passes: async () => {
      const { nllLossPasses } = await import('../passes/nllLoss.js');
      return (build) => nllLossPasses(build, settings, roles);
    },
    ...(rows > 0 ? { targetClasses: classes } : {}),
  };
}

export interface PlanNllLossOptions extends PlanOptions, NllLossTerms {
  /** Dtype of the targets: `'i32'` (default) or `'u32'`. */
  readonly targetDtype?: 'i32' | 'u32';
  /** True: `weight`, one for each class, is a binding. */
  readonly weight?: boolean;
  /** A number (default 1), or a binding: `'rows'` one value a row (reduction 'none'), `'scalar'` one value (reduced). */
  readonly gradOutput?: number | 'rows' | 'scalar';
}

/** The bindings of a plan of `nllLoss`; all that its options ask for must be there, and no others. */
export interface NllLossBindings {
  /** The matrix of log-probabilities: the plan's `shape` and `dtype`. */
  readonly logProbs: PlanBinding;
  /** Class indices, one a row, of `targetDtype`. */
  readonly targets: PlanBinding;
  /** f32, in nats: shape [] if reduced, otherwise one value a row. */
  readonly loss: PlanBinding;
  /** With `weight: true`. */
  readonly weight?: PlanBinding;
  /** With `gradOutput: 'rows'` or `'scalar'`. */
  readonly gradOutput?: PlanBinding;
  /** With `grad: true`. */
  readonly grad?: PlanBinding;
}

/**
 * A plan of `nllLoss`.
 *
 * A target out of range makes its row NaN, and `read()` of the tensors bound as results reject with `TargetOutOfRangeError`.
 *
 * @param options `shape` is that of the log-probabilities.
 * @throws InvalidArgumentError, LimitExceededError, OutOfMemoryError, CompileError.
 */
export async function planNllLoss(
  context: Context,
  options: PlanNllLossOptions,
): Promise<OpPlan<NllLossBindings>> {
  const op = 'planNllLoss';
  checkOptions(op, options, [...PLAN_OPTIONS, ...TERMS, 'targetDtype', 'weight', 'gradOutput']);
  const { layout, logits } = logitsOf(op, options);
  const { targetDtype = 'i32', weight = false, gradOutput = 1 } = options;
  const terms = checkTerms(op, options);
  const spec = nllLossSpec({
    ...terms,
    layout,
    logProbs: logits,
    targets: indicesRole(op, targetDtype, layout),
    weight: optionalRole(op, 'weight', weight, layout, [layout.classes]),
    gradOutput: upstreamOf(op, gradOutput, terms.reduction, layout),
  });
  return makeExecutable(op, context, options.policy, spec);
}
