import type { Context } from '../context.js';
import { invalid } from '../errors.js';
import { checkOptions } from '../options.js';
import { type Layout, layoutOf, rowShape } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, type IndexTargets, inputRole } from './call.js';
import {
  logitsOf,
  makeExecutable,
  type OpPlan,
  PLAN_OPTIONS,
  type PlanBinding,
  type PlanOptions,
} from './plan.js';
import { indicesRole } from './planRoles.js';
import { outputRole, presentRoles } from './roles.js';

export interface LogitStatsOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
  /** How many of a row's largest logits to list: a whole number from 1 to the number of classes. Default none. */
  readonly topK?: number;
}

/** One value a row each: the logits' shape without the class axis. */
export interface LogitStatsResult {
  /** f32, in nats. */
  readonly logSumExp: Tensor;
  /** f32: entropy of softmax(logits), in nats. */
  readonly entropy: Tensor;
  /** i32: the first class that has the row's largest logit; -1 if the row has a NaN. */
  readonly argmax: Tensor;
  /** With targets, f32: log softmax(logits) at the target, in nats. */
  readonly targetLogProb?: Tensor;
  /** With targets, i32: number of classes that come before the target, 0 if it is the argmax; -1 if the row has a NaN. */
  readonly targetRank?: Tensor;
  /**
   * With `topK`: the row's largest logits (f32, the very bits) and their classes (i32), largest first, in the shape of the logits
   * without the class axis and with `topK` as the last one. NaN and -1 if the row has a NaN.
   */
  readonly topK?: {
    /** f32. */
    readonly values: Tensor;
    /** i32. */
    readonly indices: Tensor;
  };
}

/**
 * What an evaluation asks of each row of logits, from one read of them: log-sum-exp, entropy, argmax, log-probability and rank of the
 * target, and the largest logits.
 *
 * Classes are ranked by their logits, largest first, and equal logits (0 and -0 are equal) by class, smallest first; infinities are
 * ranked like other numbers. The mean of -targetLogProb is the cross-entropy, the share of targetRank < k the top-k accuracy.
 * Without a softmax (NaN, +Inf or only -Inf in the row) entropy and targetLogProb are NaN.
 *
 * A `topK` of more than 16 (perhaps fewer with a `workgroupSize` above 64) reads the logits once more for each further 16.
 *
 * @param logits f32, f16 or bf16, any shape.
 * @param targets i32 or u32: class indices, the shape without the class axis. One out of range has the log-probability NaN and the rank
 *   -1, and `read()` of every result rejects with `TargetOutOfRangeError`. No index is ignored.
 * @returns Tensors on the device; the caller destroys them.
 * @throws InvalidArgumentError, LimitExceededError before anything is submitted; `read()` tells of what goes wrong on the device.
 */
export async function logitStats(
  logits: Tensor,
  targets?: IndexTargets,
  options: LogitStatsOptions = {},
): Promise<LogitStatsResult> {
  const op = 'logitStats';
  checkOptions(op, options, ['axis', 'topK', ...CALL_OPTIONS]);
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  const layout = layoutOf(op, logits.shape, options.axis);
  const { topK } = options;
  checkTopK(op, topK, layout);
  const targetTensor =
    targets === undefined ? undefined : call.vector('targets', targets, ['i32', 'u32'], [rowShape(layout)]);
  const spec = logitStatsSpec({
    layout,
    logits: inputRole(op, 'logits', logits, layout),
    targets: targetTensor === undefined ? undefined : inputRole(op, 'targets', targetTensor),
    topK,
  });
  const result = await call.run(spec);
  const { logSumExp, entropy, argmax, targetLogProb, targetRank, topKValues, topKIndices } = result;
  return {
    logSumExp: logSumExp as Tensor,
    entropy: entropy as Tensor,
    argmax: argmax as Tensor,
    ...(targetLogProb === undefined ? {} : { targetLogProb }),
    ...(targetRank === undefined ? {} : { targetRank }),
    ...(topKValues === undefined || topKIndices === undefined
      ? {}
      : { topK: { values: topKValues, indices: topKIndices } }),
  };
}

export interface PlanLogitStatsOptions extends PlanOptions {
  /** True: `targets`, one class index a row, is a binding. Default false. */
  readonly targets?: boolean;
  /** Dtype of the targets: `'i32'` (default) or `'u32'`. */
  readonly targetDtype?: 'i32' | 'u32';
  /** How many of a row's largest logits to list. Default none. */
  readonly topK?: number;
}

/** The bindings of a plan of `logitStats`; all that its options ask for must be there, and no others. */
export interface LogitStatsBindings {
  /** The matrix of logits: the plan's `shape` and `dtype`. */
  readonly logits: PlanBinding;
  /** f32, one value a row, in nats. */
  readonly logSumExp: PlanBinding;
  /** f32, one value a row, in nats. */
  readonly entropy: PlanBinding;
  /** i32, one value a row. */
  readonly argmax: PlanBinding;
  /** With `targets: true`: class indices, one a row, of `targetDtype`. */
  readonly targets?: PlanBinding;
  /** With `targets: true`: f32, one value a row, in nats. */
  readonly targetLogProb?: PlanBinding;
  /** With `targets: true`: i32, one value a row. */
  readonly targetRank?: PlanBinding;
  /** With `topK`: f32, the shape without the class axis and with `topK` as the last one. */
  readonly topKValues?: PlanBinding;
  /** With `topK`: i32, the same shape. */
  readonly topKIndices?: PlanBinding;
}

/**
 * A plan of `logitStats`, for an evaluation loop.
 *
 * A target out of range makes `read()` of the tensors bound as results reject with `TargetOutOfRangeError`.
 */
export async function planLogitStats(
  context: Context,
  options: PlanLogitStatsOptions,
): Promise<OpPlan<LogitStatsBindings>> {
  const op = 'planLogitStats';
  checkOptions(op, options, [...PLAN_OPTIONS, 'targets', 'targetDtype', 'topK']);
  const { layout, logits } = logitsOf(op, options);
  const { targets = false, targetDtype = 'i32', topK } = options;
  const indices = indicesRole(op, targetDtype, layout);
  if (typeof targets !== 'boolean') {
    invalid(op, 'targets must be true or false; the tensor is a binding of encode.', {
      shapes: { logits: layout.shape },
    });
  }
  checkTopK(op, topK, layout);
  const spec = logitStatsSpec({
    layout,
    logits,
    targets: targets ? indices : undefined,
    topK,
  });
  return makeExecutable(op, context, options.policy, spec);
}

function checkTopK(op: string, topK: number | undefined, { shape, classes }: Layout): void {
  if (topK === undefined || (Number.isSafeInteger(topK) && topK >= 1 && topK <= classes)) return;
  invalid(op, `topK is ${String(topK)}; use a whole number from 1 to ${classes}, the number of classes.`, {
    shapes: { logits: shape },
  });
}

/** A `logitStats` with every choice made. */
export interface LogitStatsSettings {
  readonly layout: Layout;
  readonly logits: Role;
  readonly targets: Role | undefined;
  readonly topK: number | undefined;
}

/** The spec of `logitStats`. */
export function logitStatsSpec(settings: LogitStatsSettings): Spec {
  const { layout, logits, targets, topK } = settings;
  const perRow = rowShape(layout);
  const listed = topK === undefined ? undefined : [...perRow, topK];
  const roles = presentRoles({
    logits,
    targets,
    logSumExp: outputRole(perRow),
    entropy: outputRole(perRow),
    argmax: outputRole(perRow, 'i32'),
    targetLogProb: targets && outputRole(perRow),
    targetRank: targets && outputRole(perRow, 'i32'),
    topKValues: listed && outputRole(listed),
    topKIndices: listed && outputRole(listed, 'i32'),
  });
  return {
    op: 'logitStats',
    settings,
    roles,
    passes: async () => {
      const { logitStatsPasses } = await import('../passes/logitStats.js');
      return (build) => logitStatsPasses(build, settings, roles);
    },
    ...(targets !== undefined && layout.rows > 0 ? { targetClasses: layout.classes, ignorable: false } : {}),
  };
}
