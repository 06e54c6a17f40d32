import type { Context } from '../context.js';
import { checkFlag, checkOptions } from '../options.js';
import { type Layout, layoutOf, rowShape } from '../shape.js';
import type { Role, Roles, Spec } from '../spec.js';
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
import { denseRole, outputRole } from './roles.js';

export interface GradOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
}

/**
 * Gradient of `softmax` with respect to the logits: p_j (g_j - sum_i p_i g_i).
 *
 * @param probs What `softmax` returned, any float dtype.
 * @param gradOutput Upstream gradient, any float dtype, the shape of `probs`.
 * @returns The dtype and shape of `probs`.
 * @throws InvalidArgumentError, LimitExceededError.
 */
export function softmaxGrad(probs: Tensor, gradOutput: Tensor, options: GradOptions = {}): Promise<Tensor> {
  return fromOutput('softmaxGrad', 'probs', softmaxGradSpec, probs, gradOutput, options);
}

/**
 * Gradient of `logSoftmax` with respect to the logits: g_j - exp(log p_j) sum_i g_i.
 *
 * @param logProbs What `logSoftmax` returned, any float dtype.
 * @param gradOutput Upstream gradient, any float dtype, the shape of `logProbs`.
 * @returns The dtype and shape of `logProbs`.
 * @throws InvalidArgumentError, LimitExceededError.
 */
export function logSoftmaxGrad(
  logProbs: Tensor,
  gradOutput: Tensor,
  options: GradOptions = {},
): Promise<Tensor> {
  return fromOutput('logSoftmaxGrad', 'logProbs', logSoftmaxGradSpec, logProbs, gradOutput, options);
}

/** A gradient from the forward result and the upstream gradient, both of the logits' shape. */
async function fromOutput(
  op: string,
  name: string,
  specOf: typeof softmaxGradSpec,
  forward: Tensor,
  gradOutput: Tensor,
  options: GradOptions,
): Promise<Tensor> {
  checkOptions(op, options, ['axis', ...CALL_OPTIONS]);
  const call = new Call(op, name, forward, options);
  call.matrix(name, forward);
  call.matrix('gradOutput', gradOutput, forward.shape);
  const layout = layoutOf(op, forward.shape, options.axis);
  const upstream = inputRole(op, 'gradOutput', gradOutput, layout);
  const { grad } = await call.run(specOf(layout, inputRole(op, name, forward, layout), upstream));
  return grad as Tensor;
}

/** The spec of `softmaxGrad`. */
export function softmaxGradSpec(layout: Layout, probs: Role, gradOutput: Role): Spec {
  const roles = { probs, gradOutput, grad: outputRole(layout.shape, probs.dtype) };
  return gradSpec('softmaxGrad', layout, roles);
}

/** The spec of `logSoftmaxGrad`. */
export function logSoftmaxGradSpec(layout: Layout, logProbs: Role, gradOutput: Role): Spec {
  const roles = { logProbs, gradOutput, grad: outputRole(layout.shape, logProbs.dtype) };
  return gradSpec('logSoftmaxGrad', layout, roles);
}

function gradSpec(
  op: 'softmaxGrad' | 'logSoftmaxGrad' | 'logSumExpGrad',
  layout: Layout,
  roles: Roles,
): Spec {
  return {
    op,
    settings: { layout },
    roles,
    passes: async () => {
      const { gradPasses } = await import('../passes/grad.js');
      return (build) => gradPasses(build, op, layout, roles);
    },
  };
}

/**
 * Gradient of `logSumExp` with respect to the logits: g exp(x_j - lse).
 *
 * As exact as the lse that is given: rounded to f32, an lse of size 1e4 makes a relative error of 5e-4. Where that matters, use
 * `softmax`.
 *
 * @param logits f32, f16 or bf16, any shape.
 * @param lse What `logSumExp` returned, one value a row (with or without `keepDims`).
 * @param gradOutput Upstream gradient, one value a row.
 * @returns The dtype and shape of the logits.
 * @throws InvalidArgumentError, LimitExceededError.
 */
export async function logSumExpGrad(
  logits: Tensor,
  lse: Vector,
  gradOutput: Vector,
  options: GradOptions = {},
): Promise<Tensor> {
  const op = 'logSumExpGrad';
  checkOptions(op, options, ['axis', ...CALL_OPTIONS]);
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  const layout = layoutOf(op, logits.shape, options.axis);
  const perRow = [rowShape(layout), rowShape(layout, true)];
  const lseTensor = call.vector('lse', lse, ['f32'], perRow);
  const upstream = call.vector('gradOutput', gradOutput, ['f32'], perRow);
  const spec = logSumExpGradSpec(
    layout,
    inputRole(op, 'logits', logits, layout),
    inputRole(op, 'lse', lseTensor),
    inputRole(op, 'gradOutput', upstream),
  );
  const { grad } = await call.run(spec);
  return grad as Tensor;
}

/** The spec of `logSumExpGrad`. */
export function logSumExpGradSpec(layout: Layout, logits: Role, lse: Role, gradOutput: Role): Spec {
  const roles = { logits, lse, gradOutput, grad: outputRole(layout.shape, logits.dtype) };
  return gradSpec('logSumExpGrad', layout, roles);
}

/** The bindings of a `softmaxGrad` plan, all of its shape. */
export interface SoftmaxGradBindings {
  /** What `softmax` returned. */
  readonly probs: PlanBinding;
  /** Upstream gradient: the plan's `shape` and `dtype`, as the next one. */
  readonly gradOutput: PlanBinding;
  /** The gradient with respect to the logits. */
  readonly grad: PlanBinding;
}

/** A plan of `softmaxGrad`. `shape` and `rowStride` are those of `probs`; the other bindings are dense. */
export function planSoftmaxGrad(
  context: Context,
  options: PlanOptions,
): Promise<OpPlan<SoftmaxGradBindings>> {
  return planFromOutput('planSoftmaxGrad', softmaxGradSpec, context, options);
}

/** The bindings of a `logSoftmaxGrad` plan, all of its shape. */
export interface LogSoftmaxGradBindings {
  /** What `logSoftmax` returned. */
  readonly logProbs: PlanBinding;
  /** Upstream gradient: the plan's `shape` and `dtype`, as the next one. */
  readonly gradOutput: PlanBinding;
  /** The gradient with respect to the logits. */
  readonly grad: PlanBinding;
}

/** A plan of `logSoftmaxGrad`. `shape` and `rowStride` are those of `logProbs`; the other bindings are dense. */
export function planLogSoftmaxGrad(
  context: Context,
  options: PlanOptions,
): Promise<OpPlan<LogSoftmaxGradBindings>> {
  return planFromOutput('planLogSoftmaxGrad', logSoftmaxGradSpec, context, options);
}

async function planFromOutput<Bindings extends object>(
  op: string,
  specOf: typeof softmaxGradSpec,
  context: Context,
  options: PlanOptions,
): Promise<OpPlan<Bindings>> {
  checkOptions(op, options, PLAN_OPTIONS);
  const { layout, logits } = logitsOf(op, options);
  return makeExecutable(
    op,
    context,
    options.policy,
    specOf(layout, logits, denseRole(layout.shape, logits.dtype)),
  );
}

export interface PlanLogSumExpGradOptions extends PlanOptions {
  /** `lse` and `gradOutput` have the class axis, with size 1. Default false. */
  readonly keepDims?: boolean;
}

/** The bindings of a `logSumExpGrad` plan. */
export interface LogSumExpGradBindings {
  /** The matrix of logits: the plan's `shape` and `dtype`. */
  readonly logits: PlanBinding;
  /** What `logSumExp` returned, one value a row. */
  readonly lse: PlanBinding;
  /** One value a row. */
  readonly gradOutput: PlanBinding;
  /** The shape of the logits. */
  readonly grad: PlanBinding;
}

/** A plan of `logSumExpGrad`. `shape` and `rowStride` are those of the logits; the other bindings are dense. */
export async function planLogSumExpGrad(
  context: Context,
  options: PlanLogSumExpGradOptions,
): Promise<OpPlan<LogSumExpGradBindings>> {
  const op = 'planLogSumExpGrad';
  checkOptions(op, options, [...PLAN_OPTIONS, 'keepDims']);
  const { layout, logits } = logitsOf(op, options);
  const { keepDims = false } = options;
  checkFlag(op, 'keepDims', keepDims);
  const perRow = denseRole(rowShape(layout, keepDims));
  return makeExecutable(op, context, options.policy, logSumExpGradSpec(layout, logits, perRow, perRow));
}
