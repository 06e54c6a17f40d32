import type { Context } from '../context.js';
import type { KlTarget } from '../cpu/klDivergence.js';
import type { FloatDType } from '../dtype.js';
import { invalid } from '../errors.js';
import { checkFlag, checkOptions } from '../options.js';
import { layoutOf, rowShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, inputRole, type Vector } from './call.js';
import { klDivergenceSpec } from './klDivergenceSpec.js';
import {
  logitsOf,
  makeExecutable,
  type OpPlan,
  PLAN_OPTIONS,
  type PlanBinding,
  type PlanOptions,
} from './plan.js';
import { floatsRole, upstreamOf } from './planRoles.js';
import { checkReductionTerms, type Reduction } from './reduction.js';
import { checkScale } from './temperature.js';

export type { KlTarget };

/** What decides a divergence, in an operation as in a plan. */
interface KlTerms {
  /** What the target holds: the logits of a teacher, probabilities, or their logarithms. */
  readonly target: KlTarget;
  /** The logits, and a teacher's logits, are divided by it first; above 0. Default 1. */
  readonly temperature?: number;
  /** Multiplies divergence and gradients by `temperature^2`, which keeps the size of the gradients. Default false. */
  readonly scaleByTemperatureSquared?: boolean;
  /** Of the rows' divergences: `'mean'` (default; over the rows, PyTorch's 'batchmean'), `'sum'` or `'none'`. */
  readonly reduction?: Reduction;
  /** Also the gradients with respect to the logits and to the target. Default false. */
  readonly grad?: boolean;
}

const TERMS: readonly string[] = [
  'target',
  'temperature',
  'scaleByTemperatureSquared',
  'reduction',
  'grad',
  'gradOutput',
];

export interface KlDivergenceOptions extends CallOptions, KlTerms {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
  /** Upstream gradient: a number or a tensor of shape [] if reduced; a number or one value a row for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

/** What `klDivergence` gives. */
export interface KlDivergenceResult {
  /** Shape [] if reduced, otherwise the logits' shape without the class axis; in nats. */
  readonly divergence: Tensor;
  /** With `grad`: the shape of the logits. */
  readonly grad?: Tensor;
  /** With `grad`: with respect to the target as it was given (logits, probabilities or log-probabilities), its shape. */
  readonly gradTarget?: Tensor;
}

/**
 * Kullback-Leibler divergence D(q ‖ p) = sum_j q_j (log q_j - log p_j) of p = softmax(logits / T) from a target q, in nats: of a student
 * from a teacher (distillation), or of a model from data. Given probabilities need not sum to 1, as in PyTorch's `kl_div`.
 *
 * With `target: 'logits'` it is never below 0, exactly 0 for equal rows, and where the logits nearly agree, a divergence of 1e-10 keeps its
 * digits: it is a sum of terms that do not cancel, made of differences of the logits. That needs both distributions beforehand, so the matrices are read twice for the
 * divergence (given probabilities once), and once more for the gradients.
 *
 * Gradients, all times T^2 with `scaleByTemperatureSquared`, with u_j = log q_j - log p_j: (p_j sum q - q_j) / T for the logits;
 * q_j (u_j - D) / T for a teacher's logits, u_j + 1 for probabilities, q_j (u_j + 1) for log-probabilities.
 *
 * Special rows: q_j = 0 contributes 0, also at a logit of -Inf (PyTorch: NaN); any other q_j there gives +Inf. Where q_j = 0, the gradient
 * with respect to a teacher's logit or a log-probability is 0, and with respect to a probability NaN. A negative probability gives NaN.
 * So does a row of logits, or of a teacher's, with NaN, +Inf or only -Inf. An infinite upstream gradient g gives g p - g q in IEEE arithmetic.
 * A q_j below the normal float32 numbers may count as 0.
 *
 * @param logits f32, f16 or bf16, any shape.
 * @param target f32, f16 or bf16, the shape of the logits: what `options.target` says.
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export async function klDivergence(
  logits: Tensor,
  target: Tensor,
  options: KlDivergenceOptions,
): Promise<KlDivergenceResult> {
  const op = 'klDivergence';
  checkOptions(op, options, ['axis', ...TERMS, ...CALL_OPTIONS]);
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  call.matrix('target', target, logits.shape);
  const terms = checkTerms(op, options);
  const { axis, gradOutput = 1 } = options;
  const layout = layoutOf(op, logits.shape, axis);
  return call.run<KlDivergenceResult>(
    klDivergenceSpec({
      ...terms,
      layout,
      logits: inputRole(op, 'logits', logits, layout),
      target: inputRole(op, 'target', target, layout),
      gradOutput: call.upstream(gradOutput, terms.reduction, rowShape(layout)),
    }),
  );
}

/** The terms with their defaults, checked. */
function checkTerms(op: string, options: KlTerms) {
  const { target, temperature = 1, scaleByTemperatureSquared = false } = options;
  if (!['logits', 'probs', 'logProbs'].includes(target)) {
    invalid(
      op,
      `the option target is '${String(target)}'; say what it holds: 'logits', 'probs' or 'logProbs'.`,
    );
  }
  checkScale(op, 'temperature', temperature);
  checkFlag(op, 'scaleByTemperatureSquared', scaleByTemperatureSquared);
  return {
    ...checkReductionTerms(op, options),
    kind: target,
    temperature,
    scaleByTemperatureSquared,
  };
}

export interface PlanKlDivergenceOptions extends PlanOptions, KlTerms {
  /** Dtype of the target, a float; that of the logits by default. */
  readonly targetDtype?: FloatDType;
  /** A number (default 1), or a binding: `'rows'` one value a row (reduction 'none'), `'scalar'` one value (reduced). */
  readonly gradOutput?: number | 'rows' | 'scalar';
}

/** The bindings of a divergence's plan; all that its options ask for must be there, and no others. */
export interface KlBindings {
  /** The matrix of logits: the plan's `shape` and `dtype`. */
  readonly logits: PlanBinding;
  /** What the option `target` says, in the shape of the logits. */
  readonly target: PlanBinding;
  /** f32, in nats: shape [] if reduced, otherwise one value a row. */
  readonly divergence: PlanBinding;
  /** With `gradOutput: 'rows'` or `'scalar'`. */
  readonly gradOutput?: PlanBinding;
  /** With `grad: true`. */
  readonly grad?: PlanBinding;
  /** With `grad: true`. */
  readonly gradTarget?: PlanBinding;
}

/** A plan of `klDivergence`, for a training loop. `rowStride` is that of the logits; the target is dense. */
export async function planKlDivergence(
  context: Context,
  options: PlanKlDivergenceOptions,
): Promise<OpPlan<KlBindings>> {
  const op = 'planKlDivergence';
  checkOptions(op, options, [...PLAN_OPTIONS, ...TERMS, 'targetDtype']);
  const { layout, logits } = logitsOf(op, options);
  const terms = checkTerms(op, options);
  const { targetDtype = logits.dtype, gradOutput = 1 } = options;
  const spec = klDivergenceSpec({
    ...terms,
    layout,
    logits,
    target: floatsRole(op, targetDtype, layout),
    gradOutput: upstreamOf(op, gradOutput, terms.reduction, layout),
  });
  return makeExecutable(op, context, options.policy, spec);
}
