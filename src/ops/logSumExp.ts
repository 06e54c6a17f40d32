import type { Context } from '../context.js';
import { checkFlag, checkOptions } from '../options.js';
import { type Layout, layoutOf, rowShape } from '../shape.js';
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

export interface LogSumExpOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
  /** Keep the class axis, with size 1. Default false. */
  readonly keepDims?: boolean;
}

/**
 * log sum_j exp(x_j) along `axis`.
 *
 * NaN if the row has NaN, else +Inf if it has +Inf, else -Inf if it has nothing but -Inf.
 *
 * @param logits f32, f16 or bf16, any shape.
 * @returns f32, the shape of the logits without the class axis. The caller destroys it.
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export async function logSumExp(logits: Tensor, options: LogSumExpOptions = {}): Promise<Tensor> {
  const op = 'logSumExp';
  checkOptions(op, options, ['axis', 'keepDims', ...CALL_OPTIONS]);
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  const layout = layoutOf(op, logits.shape, options.axis);
  const { keepDims = false } = options;
  checkFlag(op, 'keepDims', keepDims);
  const spec = logSumExpSpec(layout, inputRole(op, 'logits', logits, layout), keepDims);
  const { output } = await call.run(spec);
  return output as Tensor;
}

/** The spec of `logSumExp`. */
export function logSumExpSpec(layout: Layout, logits: Role, keepDims: boolean): Spec {
  return {
    op: 'logSumExp',
    settings: { layout },
    roles: { logits, output: outputRole(rowShape(layout, keepDims)) },
    passes: async () => {
      const { logSumExpPasses } = await import('../passes/logSumExp.js');
      return (build) => logSumExpPasses(build, layout);
    },
  };
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
  const op = 'planLogSumExp';
  checkOptions(op, options, [...PLAN_OPTIONS, 'keepDims']);
  const { layout, logits } = logitsOf(op, options);
  const { keepDims = false } = options;
  checkFlag(op, 'keepDims', keepDims);
  return makeExecutable(op, context, options.policy, logSumExpSpec(layout, logits, keepDims));
}
