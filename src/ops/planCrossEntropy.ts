import type { Context } from '../context.js';
import type { FloatDType } from '../dtype.js';
import { invalid } from '../errors.js';
import { checkOptions } from '../options.js';
import { type CrossEntropyTerms, checkTerms, TERMS } from './crossEntropy.js';
import { crossEntropySpec } from './crossEntropySpec.js';
import {
  logitsOf,
  makeExecutable,
  type OpPlan,
  PLAN_OPTIONS,
  type PlanBinding,
  type PlanOptions,
} from './plan.js';
import { floatsRole, indicesRole, optionalRole, upstreamOf } from './planRoles.js';

/** The terms without `axis`, which every plan has. */
const PLAN_TERMS: readonly string[] = TERMS.filter((name) => name !== 'axis');

export interface PlanCrossEntropyOptions extends PlanOptions, CrossEntropyTerms {
  /** `'index'`: class indices, one a row. `'probs'`: probabilities, the shape of the logits. */
  readonly targets: 'index' | 'probs';
  /** Dtype of class indices: `'i32'` (default) or `'u32'`; of probabilities, a float, that of the logits by default. */
  readonly targetDtype?: 'i32' | 'u32' | FloatDType;
  /** True: `weight`, one for each class, is a binding. */
  readonly weight?: boolean;
  /** A number (default 1), or a binding: `'rows'` one value a row (reduction 'none'), `'scalar'` one value (reduced). */
  readonly gradOutput?: number | 'rows' | 'scalar';
}

/** The bindings of a cross-entropy plan; all that its options ask for must be there, and no others. */
export interface CrossEntropyBindings {
  /** The matrix of logits: the plan's `shape` and `dtype`. */
  readonly logits: PlanBinding;
  /** Class indices, one a row, or probabilities, in the shape of the logits; of `targetDtype`. */
  readonly targets: PlanBinding;
  /** f32, in nats: shape [] if reduced, otherwise one value a row. */
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
  const { targets, weight = false, gradOutput = 1 } = options;
  if (targets !== 'index' && targets !== 'probs') {
    invalid(op, `targets is '${String(targets)}'; use 'index' or 'probs'.`, {
      shapes: { logits: layout.shape },
    });
  }
  const isProbs = targets === 'probs';
  const terms = checkTerms(op, { gradTargets: false, ...options }, layout, isProbs);
  const spec = crossEntropySpec({
    ...terms,
    layout,
    logits,
    targets: isProbs
      ? floatsRole(op, options.targetDtype ?? logits.dtype, layout)
      : indicesRole(op, options.targetDtype ?? 'i32', layout),
    weight: optionalRole(op, 'weight', weight, layout, [layout.classes]),
    gradOutput: upstreamOf(op, gradOutput, terms.reduction, layout),
  });
  return makeExecutable(op, context, options.policy, spec);
}
