import type { Context } from '../context.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptions } from '../options.js';
import { rowShape } from '../shape.js';
import type { Role } from '../spec.js';
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

/** The terms without `axis`, which every plan has. */
const PLAN_TERMS: readonly string[] = TERMS.filter((name) => name !== 'axis');

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
