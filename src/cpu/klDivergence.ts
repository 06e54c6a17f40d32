import { InvalidArgumentError } from '../errors.js';
import { rowShape } from '../shape.js';
import { checkedLayout, checkLength, checkPositive } from './check.js';
import { checkReduction, type ReductionOptions, reduce, upstreamAt } from './reduction.js';
import { measureRow, newRowStats, type RowStats, readRow, writeRow } from './row.js';
import type { AxisOptions } from './softmax.js';
import { divideRow } from './transform.js';

/** What the target of a divergence holds. */
export type KlTarget = 'logits' | 'probs' | 'logProbs';

/** Options of `klDivergence`. */
export interface KlDivergenceOptions extends AxisOptions, ReductionOptions {
  /** What `target` holds: the logits of a teacher, probabilities, or their logarithms. */
  readonly target: KlTarget;
  /** The logits, and a teacher's logits, are divided by it first; finite and above 0. Default 1. */
  readonly temperature?: number | undefined;
  /** Multiplies the divergence by `temperature^2`, which keeps its gradient's size. Default false. */
  readonly scaleByTemperatureSquared?: boolean | undefined;
}

/** What `klDivergence` gives. */
export interface KlDivergenceResult {
  /** In nats: one value a row for 'none', otherwise one value. */
  readonly divergence: Float64Array;
  /** With respect to the logits, their shape. */
  readonly grad?: Float64Array;
  /** With respect to `target` as it was given (logits, probabilities or log-probabilities), its shape. */
  readonly gradTarget?: Float64Array;
}

/**
 * Kullback-Leibler divergence of `p = softmax(logits / T)` from the target distribution `q`, and its gradients, in float64.
 *
 * Per row, with `u_c = log q_c - log p_c`,
 *
 *     D(q || p) = sum_c q_c u_c
 *     dD/dlogits_c = (p_c sum_k q_k - q_c) / T
 *     dD/dteacher_c = q_c (u_c - D) / T      target 'logits': q = softmax(teacher / T)
 *     dD/dq_c = u_c + 1                      target 'probs'
 *     dD/d(log q_c) = q_c (u_c + 1)          target 'logProbs'
 *
 * and all of it times `T^2` with `scaleByTemperatureSquared`. Given probabilities need not sum to 1 (PyTorch's `kl_div`),
 * and may then have a negative divergence. That of two softmaxes is summed as `sum_c (q_c u_c - q_c + p_c)`, of which no
 * term is negative: it is exactly 0 for equal rows, above 0 for others, and 1e-20 keeps its digits. A mean divides by the
 * number of rows (PyTorch's 'batchmean').
 *
 * Special rows, PyTorch's except where said:
 * - `q_c = 0` contributes 0, also at a logit of -Infinity (PyTorch: NaN); other `q_c` there give Infinity;
 * - where `q_c = 0`, the gradient with respect to a teacher's logit or a log-probability is 0 (PyTorch: NaN for the whole
 *   row of a masked teacher), and with respect to a probability NaN;
 * - a negative probability is NaN;
 * - a row of logits, or of a teacher's, with a NaN or +Infinity, or with nothing but -Infinity, is NaN;
 * - an infinite upstream gradient `g` gives `g p - g q` in IEEE arithmetic;
 * - a mean over no row is NaN.
 *
 * @param logits dense, row-major values of `shape`
 * @param target values of `shape`, what `options.target` says
 * @throws InvalidArgumentError if an array does not fit `shape`, or an option is not usable
 */
export function klDivergence(
  logits: ArrayLike<number>,
  target: ArrayLike<number>,
  shape: readonly number[],
  options: KlDivergenceOptions,
): KlDivergenceResult {
  const op = 'klDivergence';
  const layout = checkedLayout(op, shape, options.axis);
  checkLength(op, 'logits', logits, shape);
  checkLength(op, 'target', target, shape);
  const { target: kind, temperature = 1, scaleByTemperatureSquared = false } = options;
  if (kind !== 'logits' && kind !== 'probs' && kind !== 'logProbs') {
    throw new InvalidArgumentError(
      `${op}: the option target must be 'logits', 'probs' or 'logProbs', got ${String(kind)}.`,
      { op },
    );
  }
  checkPositive(op, 'temperature', temperature);
  const { reduction, gradOutput } = checkReduction(op, options, rowShape(layout));
  const { rows, classes } = layout;
  const divisor = reduction === 'mean' ? rows : 1;
  const factor = scaleByTemperatureSquared ? temperature * temperature : 1;
  const perRow = new Float64Array(rows);
  const grad = options.grad ? new Float64Array(logits.length) : undefined;
  const gradTarget = grad && new Float64Array(logits.length);
  const work = newWork(classes);

  for (let r = 0; r < rows; r++) {
    readRow(logits, layout, r, work.logits);
    divideRow(work.logits, temperature);
    measureRow(work.logits, work.exps, work.stats);
    readRow(target, layout, r, work.target);
    if (kind === 'logits') compareLogits(temperature, work);
    else compareGiven(kind, work);
    perRow[r] = factor * work.divergence;
    if (!(grad && gradTarget)) continue;
    const scale = (upstreamAt(gradOutput, r) / divisor) * factor;
    logitGradient(kind, scale / temperature, work);
    writeRow(work.grad, layout, r, grad);
    targetGradient(kind, kind === 'logits' ? scale / temperature : scale, work);
    writeRow(work.grad, layout, r, gradTarget);
  }
  return {
    divergence: reduce(perRow, reduction, divisor),
    ...(grad && { grad }),
    ...(gradTarget && { gradTarget }),
  };
}

/** Buffers of one row, `[classes]` each, used for row after row. */
interface Work {
  /** After temperature. */
  readonly logits: Float64Array;
  readonly exps: Float64Array;
  readonly stats: RowStats;
  /** As given; a teacher's logits after temperature. */
  readonly target: Float64Array;
  /** The teacher's, used for logits only. */
  readonly targetStats: RowStats;
  /** The target distribution. */
  readonly probs: Float64Array;
  /** `log q_c - log p_c`; meaningless where `q_c` is 0. */
  readonly ratios: Float64Array;
  readonly grad: Float64Array;
  divergence: number;
  /** Sum of `probs`. */
  mass: number;
}

function newWork(classes: number): Work {
  return {
    logits: new Float64Array(classes),
    exps: new Float64Array(classes),
    stats: newRowStats(),
    target: new Float64Array(classes),
    targetStats: newRowStats(),
    probs: new Float64Array(classes),
    ratios: new Float64Array(classes),
    grad: new Float64Array(classes),
    divergence: 0,
    mass: 1,
  };
}

/** Divergence from `softmax(teacher / temperature)`. */
function compareLogits(temperature: number, work: Work): void {
  const { logits, exps, stats, target, targetStats, probs, ratios } = work;
  divideRow(target, temperature);
  measureRow(target, probs, targetStats);
  const logSums = stats.logSum - targetStats.logSum;
  let divergence = 0;
  for (let c = 0; c < probs.length; c++) {
    const q = (probs[c] as number) / targetStats.sum;
    const p = (exps[c] as number) / stats.sum;
    // The distances from the maximum are exact for logits of float32, or nearly: equal rows differ by exactly 0.
    const ratio = stats.max - (logits[c] as number) - (targetStats.max - (target[c] as number)) + logSums;
    probs[c] = q;
    ratios[c] = ratio;
    if (q === 0) divergence += p;
    // No term is below 0 but by rounding.
    else if (Math.abs(ratio) < 1) divergence += Math.max(0, q * (ratio + Math.expm1(-ratio)));
    else divergence += Math.max(0, q * ratio + (p - q));
  }
  work.divergence = divergence;
  work.mass = 1;
}

/** Divergence from probabilities or log-probabilities as they are. */
function compareGiven(kind: 'probs' | 'logProbs', work: Work): void {
  const { logits, stats, target, probs, ratios } = work;
  let divergence = 0;
  let mass = 0;
  for (let c = 0; c < probs.length; c++) {
    const given = target[c] as number;
    const q = kind === 'probs' ? given : Math.exp(given);
    const surprise = stats.max - (logits[c] as number) + stats.logSum;
    const ratio = (kind === 'probs' ? Math.log(given) : given) + surprise;
    probs[c] = q;
    ratios[c] = ratio;
    mass += q;
    if (q !== 0) divergence += q * ratio;
    else if (Number.isNaN(surprise)) divergence = Number.NaN;
  }
  work.divergence = divergence;
  work.mass = mass;
}

/** `scale (p_c sum_k q_k - q_c)`. */
function logitGradient(kind: KlTarget, scale: number, work: Work): void {
  const { exps, stats, targetStats, probs, grad, mass } = work;
  for (let c = 0; c < grad.length; c++) {
    const pull = mass * ((exps[c] as number) / stats.sum);
    const q = probs[c] as number;
    // In the factored form an infinite scale would hide that infinities cancel to NaN.
    grad[c] = Number.isFinite(scale) ? scale * (pull - q) : scale * pull - scale * q;
  }
  const { argmax } = stats;
  if (kind === 'logits' && argmax === targetStats.argmax && argmax >= 0 && Number.isFinite(scale)) {
    // Both next to 1: what is left of 1 keeps its digits.
    grad[argmax] = scale * (targetStats.rest / targetStats.sum - stats.rest / stats.sum);
  }
}

/** With respect to the target as it was given. */
function targetGradient(kind: KlTarget, scale: number, work: Work): void {
  const { stats, probs, ratios, grad, divergence } = work;
  for (let c = 0; c < grad.length; c++) {
    const q = probs[c] as number;
    const ratio = ratios[c] as number;
    if (kind === 'probs') {
      grad[c] = q === 0 ? Number.NaN : scale * (ratio + 1);
    } else if (q === 0) {
      // A row without a softmax has a sum of NaN.
      grad[c] = scale * (0 * stats.sum);
    } else {
      grad[c] = scale * (q * (kind === 'logits' ? ratio - divergence : ratio + 1));
    }
  }
}
