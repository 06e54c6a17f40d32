import type { Context } from '../context.js';
import { checkOptions } from '../options.js';
import { type Layout, layoutOf } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, inputRole } from './call.js';
import {
  logitsOf,
  makeExecutable,
  type OpPlan,
  type OutputBindings,
  PLAN_OPTIONS,
  type PlanOptions,
} from './plan.js';
import { outputRole } from './roles.js';
import { checkScale } from './temperature.js';

export interface SoftmaxOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
  /** The logits are divided by it first; above 0. Default 1. */
  readonly temperature?: number;
}

/**
 * softmax(x)_j = exp(x_j) / sum_i exp(x_i) along `axis`, of the logits divided by the temperature.
 *
 * A row with NaN, +Inf or only -Inf gives NaN; a logit of -Inf gives exactly 0.
 *
 * @param logits f32, f16 or bf16, any shape.
 * @returns The dtype and shape of the logits. The caller destroys it.
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export function softmax(logits: Tensor, options: SoftmaxOptions = {}): Promise<Tensor> {
  return run('softmax', logits, options);
}

/**
 * log softmax(x)_j = x_j - log sum_i exp(x_i) along `axis`, without the cancellation of that formula; x is the
 * logits divided by the temperature.
 *
 * A row with NaN, +Inf or only -Inf gives NaN; a logit of -Inf gives -Inf.
 *
 * @param logits f32, f16 or bf16, any shape.
 * @returns The dtype and shape of the logits. The caller destroys it.
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export function logSoftmax(logits: Tensor, options: SoftmaxOptions = {}): Promise<Tensor> {
  return run('logSoftmax', logits, options);
}

async function run(op: 'softmax' | 'logSoftmax', logits: Tensor, options: SoftmaxOptions): Promise<Tensor> {
  checkOptions(op, options, ['axis', 'temperature', ...CALL_OPTIONS]);
  const { axis, temperature = 1 } = options;
  checkScale(op, 'temperature', temperature);
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  const layout = layoutOf(op, logits.shape, axis);
  const { output } = await call.run(
    elementwiseSpec(op, layout, inputRole(op, 'logits', logits, layout), temperature),
  );
  return output as Tensor;
}

function elementwiseSpec(
  op: 'softmax' | 'logSoftmax',
  layout: Layout,
  logits: Role,
  temperature: number,
): Spec {
  return {
    op,
    settings: { layout, temperature },
    roles: { logits, output: outputRole(layout.shape, logits.dtype) },
    passes: async () => {
      const { softmaxPasses } = await import('../passes/softmax.js');
      return (build) => softmaxPasses(build, op, layout, temperature);
    },
  };
}

/** The spec of `softmax`. */
export function softmaxSpec(layout: Layout, logits: Role, temperature: number): Spec {
  return elementwiseSpec('softmax', layout, logits, temperature);
}

/** The spec of `logSoftmax`. */
export function logSoftmaxSpec(layout: Layout, logits: Role, temperature: number): Spec {
  return elementwiseSpec('logSoftmax', layout, logits, temperature);
}

export interface PlanSoftmaxOptions extends PlanOptions {
  /** The logits are divided by it first; above 0. Default 1. */
  readonly temperature?: number;
}

/** A plan of `softmax`; binds `logits` and `output`, both of `shape`. */
export function planSoftmax(context: Context, options: PlanSoftmaxOptions): Promise<OpPlan<OutputBindings>> {
  return plan('planSoftmax', softmaxSpec, context, options);
}

/** A plan of `logSoftmax`; binds `logits` and `output`, both of `shape`. */
export function planLogSoftmax(
  context: Context,
  options: PlanSoftmaxOptions,
): Promise<OpPlan<OutputBindings>> {
  return plan('planLogSoftmax', logSoftmaxSpec, context, options);
}

async function plan(
  op: string,
  specOf: typeof softmaxSpec,
  context: Context,
  options: PlanSoftmaxOptions,
): Promise<OpPlan<OutputBindings>> {
  checkOptions(op, options, [...PLAN_OPTIONS, 'temperature']);
  const { temperature = 1 } = options;
  checkScale(op, 'temperature', temperature);
  const { layout, logits } = logitsOf(op, options);
  return makeExecutable(op, context, options.policy, specOf(layout, logits, temperature));
}
