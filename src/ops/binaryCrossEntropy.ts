import type { Context } from '../context.js';
import { FLOATS, type FloatDType } from '../dtype.js';
import { checkFlag, checkOptions } from '../options.js';
import { elementCount, type Layout } from '../shape.js';
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
import { floatsRole, optionalRole, upstreamOf } from './planRoles.js';
import { checkReductionTerms, type Reduction, type ReductionTerms } from './reduction.js';
import { outputRole, presentRoles } from './roles.js';

export interface BinaryCrossEntropyOptions extends CallOptions {
  /** A weight for each element, the shape of the logits. */
  readonly weight?: Tensor | Float32Array;
  /** A weight of the positives for each class (the last axis), shape [classes]. */
  readonly posWeight?: Vector;
  /** Over all elements: `'mean'` (default), `'sum'`, or `'none'` for one loss an element. */
  readonly reduction?: Reduction;
  /** Also the gradients with respect to logits and targets. Default false. */
  readonly grad?: boolean;
  /** Upstream gradient: a number; a tensor of shape [] if reduced, of the logits' shape for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

/** What `binaryCrossEntropy` gives. */
export interface BinaryCrossEntropyResult {
  /** f32; shape [] if reduced, otherwise the shape of the logits. */
  readonly loss: Tensor;
  /** With `grad`: with respect to the logits, their shape and dtype. */
  readonly grad?: Tensor;
  /** With `grad`: with respect to the targets, their shape and dtype. */
  readonly gradTargets?: Tensor;
}

/**
 * Binary cross-entropy of logits for each element, as PyTorch's `binary_cross_entropy_with_logits`:
 * w ((1 - t) softplus(x) + posWeight t softplus(-x)). An infinite logit gives what IEEE arithmetic gives for PyTorch's form.
 *
 * @param logits f32, f16 or bf16, any shape.
 * @param targets f32, f16 or bf16, the shape of the logits; usually in [0, 1].
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export async function binaryCrossEntropy(
  logits: Tensor,
  targets: Tensor | Float32Array,
  options: BinaryCrossEntropyOptions = {},
): Promise<BinaryCrossEntropyResult> {
  const op = 'binaryCrossEntropy';
  checkOptions(op, options, ['weight', 'posWeight', 'reduction', 'grad', 'gradOutput', ...CALL_OPTIONS]);
  const { weight, posWeight, gradOutput = 1 } = options;
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  const terms = checkReductionTerms(op, options);
  const { shape } = logits;
  const layout = elementsOf(shape);
  const targetTensor = call.vector('targets', targets, FLOATS, [shape]);
  const weightTensor = weight === undefined ? undefined : call.vector('weight', weight, FLOATS, [shape]);
  const posTensor =
    posWeight === undefined ? undefined : call.vector('posWeight', posWeight, ['f32'], [[layout.classes]]);
  return call.run<BinaryCrossEntropyResult>(
    binaryCrossEntropySpec({
      ...terms,
      gradTargets: terms.grad,
      layout,
      logits: inputRole(op, 'logits', logits, layout),
      targets: inputRole(op, 'targets', targetTensor, layout),
      weight: weightTensor && inputRole(op, 'weight', weightTensor, layout),
      posWeight: posTensor && inputRole(op, 'posWeight', posTensor),
      gradOutput: call.upstream(gradOutput, terms.reduction, shape),
    }),
  );
}

/** Every element is for itself, so that no axis is the class axis: rows are the last dimension, and any size of it will do. */
function elementsOf(shape: readonly number[]): Layout {
  const classes = shape.at(-1) ?? 1;
  const rows = classes === 0 ? 0 : elementCount(shape) / classes;
  return { shape: [...shape], axis: shape.length - 1, outer: rows, classes, inner: 1, rows };
}

/** A binary cross-entropy with every choice made. */
export interface BinaryCrossEntropySettings extends ReductionTerms {
  readonly layout: Layout;
  readonly logits: Role;
  readonly targets: Role;
  /** The shape of the logits. */
  readonly weight: Role | undefined;
  /** One value for each class. */
  readonly posWeight: Role | undefined;
  /** A number, or the role of a tensor: the shape of the logits for 'none', a single value otherwise. */
  readonly gradOutput: number | Role;
  readonly gradTargets: boolean;
}

/** The spec of `binaryCrossEntropy`. */
export function binaryCrossEntropySpec(settings: BinaryCrossEntropySettings): Spec {
  const { layout, logits, targets, weight, posWeight, gradOutput, reduction, grad, gradTargets } = settings;
  const roles = presentRoles({
    logits,
    targets,
    weight,
    posWeight,
    gradOutput,
    loss: outputRole(reduction === 'none' ? layout.shape : []),
    grad: grad && outputRole(layout.shape, logits.dtype),
    gradTargets: gradTargets && outputRole(layout.shape, targets.dtype),
  });
  return {
    op: 'binaryCrossEntropy',
    settings,
    roles,
    passes: async () => {
      const { binaryCrossEntropyPasses } = await import('../passes/binaryCrossEntropy.js');
      return (build) => binaryCrossEntropyPasses(build, settings, roles);
    },
  };
}

/** Options of `planBinaryCrossEntropy`. */
export interface PlanBinaryCrossEntropyOptions
  extends Omit<PlanOptions, 'axis'>,
    Pick<BinaryCrossEntropyOptions, 'reduction' | 'grad'> {
  /** Dtype of the targets, a float; that of the logits by default. */
  readonly targetDtype?: FloatDType;
  /** True: `weight`, of the shape and dtype of the logits, is a binding. */
  readonly weight?: boolean;
  /** True: `posWeight`, one for each class (the last axis), is a binding. */
  readonly posWeight?: boolean;
  /** A number (default 1), or a binding: `'elements'` the shape of the logits (reduction 'none'), `'scalar'` one value (reduced). */
  readonly gradOutput?: number | 'elements' | 'scalar';
  /** With `grad`: also the gradient with respect to the targets. Default false. */
  readonly gradTargets?: boolean;
}

/** The bindings of a plan of `binaryCrossEntropy`; all that its options ask for must be there, and no others. */
export interface BinaryCrossEntropyBindings {
  /** The matrix of logits: the plan's `shape` and `dtype`. */
  readonly logits: PlanBinding;
  /** The shape of the logits, of `targetDtype`. */
  readonly targets: PlanBinding;
  /** f32: shape [] if reduced, otherwise the shape of the logits. */
  readonly loss: PlanBinding;
  /** With `weight: true`. */
  readonly weight?: PlanBinding;
  /** With `posWeight: true`. */
  readonly posWeight?: PlanBinding;
  /** With `gradOutput: 'elements'` or `'scalar'`. */
  readonly gradOutput?: PlanBinding;
  /** With `grad: true`. */
  readonly grad?: PlanBinding;
  /** With `gradTargets: true`. */
  readonly gradTargets?: PlanBinding;
}

/**
 * A plan of `binaryCrossEntropy`.
 *
 * @param options `shape` is that of the logits; there is no class axis to choose.
 * @throws InvalidArgumentError, LimitExceededError, OutOfMemoryError, CompileError.
 */
export async function planBinaryCrossEntropy(
  context: Context,
  options: PlanBinaryCrossEntropyOptions,
): Promise<OpPlan<BinaryCrossEntropyBindings>> {
  const op = 'planBinaryCrossEntropy';
  const common = PLAN_OPTIONS.filter((name) => name !== 'axis');
  const own = ['targetDtype', 'weight', 'posWeight', 'reduction', 'grad', 'gradTargets', 'gradOutput'];
  checkOptions(op, options, [...common, ...own]);
  const { layout, logits } = logitsOf(op, options, (_, shape) => elementsOf(shape));
  const {
    targetDtype = logits.dtype,
    weight = false,
    posWeight = false,
    gradTargets = false,
    gradOutput = 1,
  } = options;
  const terms = checkReductionTerms(op, options);
  checkFlag(op, 'gradTargets', gradTargets);
  const spec = binaryCrossEntropySpec({
    ...terms,
    gradTargets: gradTargets && terms.grad,
    layout,
    logits,
    targets: floatsRole(op, targetDtype, layout),
    weight: optionalRole(op, 'weight', weight, layout, layout.shape, logits.dtype),
    posWeight: optionalRole(op, 'posWeight', posWeight, layout, [layout.classes]),
    gradOutput: upstreamOf(op, gradOutput, terms.reduction, layout, 'elements'),
  });
  return makeExecutable(op, context, options.policy, spec);
}
