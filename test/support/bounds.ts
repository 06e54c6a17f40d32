// Error bounds of all quantities: those of src/cli/doctor/bounds.ts, and what is derived from them in the same way. Second-order terms (u^2)
// are left out where they cannot matter.

import {
  CONSERVATIVE,
  DIVISION,
  drop,
  dropTransformError,
  type EntropyFacts,
  FLUSH,
  type GradScale,
  type KernelFacts,
  logSumExpBound,
  probabilityBound,
  type RowFacts,
  surpriseBound,
  U,
} from '../../src/cli/doctor/bounds.js';

export * from '../../src/cli/doctor/bounds.js';

/** Temperature: one division. Softcap: two more operations, and a tanh of at most 8 ULP. */
export function inputErrorOf(options: {
  temperature?: number | undefined;
  softcap?: number | undefined;
}): number {
  const divided = options.temperature === undefined || options.temperature === 1 ? 0 : 6;
  return divided + (options.softcap === undefined ? 0 : 6 + 1 + 16);
}

/**
 * Relative error of the scale of a gradient.
 *
 * A plain 1 is exact and so is a product with it. Otherwise there is one rounding to multiply the gradient by it, one
 * for each factor it is made of, a division for a mean, and for a mean over class weights the sum of those.
 */
export function scaleError(parts: {
  readonly upstream: number;
  readonly weighted: boolean;
  readonly mean: boolean;
  /** Relative error of the mean's divisor; see `divisorError`. */
  readonly divisorError?: number;
}): number {
  const plain = Math.abs(parts.upstream) === 1 && !parts.weighted && !parts.mean;
  if (plain) return 0;
  return U + (parts.weighted ? U : 0) + (parts.mean ? DIVISION + U + (parts.divisorError ?? 0) : 0);
}

/** Relative error of the sum of the class weights that a mean divides by; 0 for a count, which is exact below 2^24. */
export function divisorError(
  weights: ArrayLike<number> | undefined,
  kernel: KernelFacts = CONSERVATIVE,
): number {
  if (!weights) return 0;
  let sum = 0;
  let size = 0;
  for (let r = 0; r < weights.length; r++) {
    sum += weights[r] as number;
    size += Math.abs(weights[r] as number);
  }
  return size === 0 ? 0 : (U * kernel.weightsDepth(weights.length) * size) / Math.abs(sum);
}

/** Target masses of a row: what the loss and its gradient are made of when the target is a distribution. */
export interface DenseTarget {
  /** a_j = w_j q_j after smoothing, exact. */
  readonly masses: Float64Array;
  /** Relative error of a_j in u: 0 for plain probabilities, 1 for a weight, 8 for smoothing. */
  readonly massError: number;
  /** sum_j a_j and sum_j |a_j| */
  readonly sum: number;
  readonly size: number;
}

export function denseTarget(
  probs: ArrayLike<number>,
  options: {
    readonly weight?: ArrayLike<number> | undefined;
    readonly labelSmoothing?: number | undefined;
  } = {},
): DenseTarget {
  const { weight, labelSmoothing = 0 } = options;
  const masses = new Float64Array(probs.length);
  let sum = 0;
  let size = 0;
  for (let j = 0; j < probs.length; j++) {
    const q = (1 - labelSmoothing) * (probs[j] as number) + labelSmoothing / probs.length;
    const mass = (weight ? (weight[j] as number) : 1) * q;
    masses[j] = mass;
    sum += mass;
    size += Math.abs(mass);
  }
  // Smoothing: a division, a product, a difference and a sum.
  return { masses, massError: (weight ? 1 : 0) + (labelSmoothing === 0 ? 0 : 8), sum, size };
}

/**
 * Loss `sum_j a_j (log S + max - x_j)`.
 *
 * The error of log S comes in |sum a_j| times at most `size`; every term has the roundings of a_j, of max - x_j, of
 * the product and of the sum it goes through; the result is rounded once more.
 */
export function denseLossBound(row: RowFacts, target: DenseTarget): number {
  let weighed = 0;
  let transform = 0;
  let loss = 0;
  for (let j = 0; j < target.masses.length; j++) {
    const mass = target.masses[j] as number;
    if (mass === 0) continue;
    const surprise = drop(row, j) + row.stats.logSum;
    loss += mass * surprise;
    weighed += Math.abs(mass) * surprise;
    transform += Math.abs(mass) * dropTransformError(row, j);
  }
  const perTerm = U * (row.depth + 3 + target.massError);
  return (
    target.size * (row.logSumError + row.transformError) +
    transform +
    perTerm * weighed +
    U * Math.abs(loss) +
    FLUSH
  );
}

/**
 * Gradient `scale (A p_j - a_j)` with A = sum a_j.
 *
 * A is a sum on the device: relative to sum |a_j|, u (h + massError). The product and the difference round.
 */
export function denseGradientBound(row: RowFacts, j: number, target: DenseTarget, by: GradScale): number {
  const p = row.probs[j] as number;
  const mass = target.masses[j] as number;
  const pull = target.sum * p;
  const excess = Math.abs(pull - mass);
  const totalError = U * (row.depth + target.massError) * target.size;
  const size = Math.abs(by.scale);
  return (
    size *
      (Math.abs(target.sum) * probabilityBound(row, j) +
        totalError * p +
        U * Math.abs(pull) +
        U * target.massError * Math.abs(mass) +
        U * excess) +
    by.error * size * excess +
    FLUSH
  );
}

/** Gradient with respect to the probabilities: `scale w_j (1 - smoothing) (log S + max - x_j)`; `factor` is all before the bracket. */
export function targetGradientBound(row: RowFacts, j: number, factor: number, error: number): number {
  const surprise = drop(row, j) + row.stats.logSum;
  return Math.abs(factor) * (surpriseBound(row, j) + (error + 2 * U) * surprise) + FLUSH;
}

/** z-loss `z lse^2`: twice the error of lse, and three roundings. */
export function zLossBound(row: RowFacts, zLoss: number): number {
  const lse = Math.abs(row.stats.logSumExp);
  const error = logSumExpBound(row);
  return Math.abs(zLoss) * ((2 * lse + error) * error + 3 * U * lse * lse);
}

/** Its gradient `2 z scale lse p_j`. */
export function zGradientBound(row: RowFacts, j: number, zLoss: number, by: GradScale): number {
  const p = row.probs[j] as number;
  const lse = Math.abs(row.stats.logSumExp);
  const terms = logSumExpBound(row) * p + lse * probabilityBound(row, j) + (4 * U + by.error) * lse * p;
  return 2 * Math.abs(zLoss * by.scale) * terms + FLUSH;
}

/**
 * A gradient on its way back through softcap and temperature: `grad slope / temperature`.
 * The slope 1 - tanh^2 has an absolute error of twice that of tanh, 2 (7 + 16) u, whatever it cancels to.
 */
export function chainBound(
  bound: number,
  grad: number,
  slope: number,
  options: { temperature?: number | undefined; softcap?: number | undefined },
): number {
  const temperature = options.temperature ?? 1;
  const slopeError = options.softcap === undefined ? 0 : 48 * U + 2 * U * slope;
  const divide = temperature === 1 ? 0 : 6 * U;
  return (bound * slope + Math.abs(grad) * (slopeError + divide * slope)) / temperature + FLUSH;
}

/**
 * Sum over rows: each row's own bound, and the roundings of the sum, with `rowsDepth` additions in a chain.
 * Rows of value 0 (ignored) cost nothing.
 */
export function sumBound(
  losses: ArrayLike<number>,
  bounds: ArrayLike<number>,
  kernel: KernelFacts = CONSERVATIVE,
): number {
  let own = 0;
  let size = 0;
  for (let r = 0; r < losses.length; r++) {
    if (losses[r] === 0 && bounds[r] === 0) continue;
    own += bounds[r] as number;
    size += Math.abs(losses[r] as number);
  }
  return own + U * kernel.rowsDepth(losses.length) * size + FLUSH;
}

/** Mean over rows: the sum's bound, a division, and the error of the divisor. */
export function meanBound(
  losses: ArrayLike<number>,
  bounds: ArrayLike<number>,
  divisor: number,
  relativeDivisorError = 0,
  kernel: KernelFacts = CONSERVATIVE,
): number {
  let sum = 0;
  for (let r = 0; r < losses.length; r++) sum += losses[r] as number;
  const mean = Math.abs(sum / divisor);
  return (
    sumBound(losses, bounds, kernel) / Math.abs(divisor) + (DIVISION + relativeDivisorError) * mean + FLUSH
  );
}

/**
 * softmaxGrad `p_j (g_j - sum_k p_k g_k)` from probabilities that are themselves off by `given(k)` (0 if they are exact).
 * Facts of the sum (its value and its error) are the same for the whole row: `softmaxGradFacts`.
 */
export interface WeightedSum {
  readonly value: number;
  readonly error: number;
}

/** `sum_k p_k g_k`: the errors of the p_k, the roundings of product and sum. */
export function softmaxGradFacts(
  row: RowFacts,
  gradOutput: ArrayLike<number>,
  given: (k: number) => number,
): WeightedSum {
  let value = 0;
  let size = 0;
  let error = 0;
  for (let k = 0; k < row.probs.length; k++) {
    const g = gradOutput[k] as number;
    value += (row.probs[k] as number) * g;
    size += (row.probs[k] as number) * Math.abs(g);
    error += given(k) * Math.abs(g);
  }
  return { value, error: error + U * (row.depth + 1) * size + row.probs.length * FLUSH };
}

export function softmaxGradBound(
  row: RowFacts,
  j: number,
  g: number,
  mean: WeightedSum,
  given: (k: number) => number,
): number {
  const p = row.probs[j] as number;
  const difference = Math.abs(g - mean.value);
  return given(j) * (difference + mean.error) + p * (mean.error + 2 * U * difference) + FLUSH;
}

/** `sum_k g_k`, which rounds alone. */
export function gradOutputSum(row: RowFacts, gradOutput: ArrayLike<number>): WeightedSum {
  let value = 0;
  let size = 0;
  for (let k = 0; k < row.probs.length; k++) {
    value += gradOutput[k] as number;
    size += Math.abs(gradOutput[k] as number);
  }
  return { value, error: U * row.depth * size };
}

/** logSoftmaxGrad `g_j - exp(logp_j) sum_k g_k`, from log-probabilities that are off by `given(j)`. */
export function logSoftmaxGradBound(
  row: RowFacts,
  j: number,
  g: number,
  sum: WeightedSum,
  given: (k: number) => number,
): number {
  const { c, k } = row.kernel;
  const p = row.probs[j] as number;
  const surprise = p === 0 ? 0 : drop(row, j) + row.stats.logSum;
  const expError = p === 0 ? FLUSH : p * (Math.expm1(given(j)) + U * (c + k * surprise)) + FLUSH;
  const pull = p * Math.abs(sum.value);
  return (
    expError * (Math.abs(sum.value) + sum.error) +
    p * sum.error +
    U * pull +
    U * Math.abs(g - p * sum.value) +
    FLUSH
  );
}

/**
 * logSumExpGrad `g exp(x_j - lse)` from a log-sum-exp that is off by `given`: at least by its rounding to float32,
 * u |lse|, which at |lse| = 1e4 already is 6e-4 relative. The difference rounds as well.
 */
export function logSumExpGradBound(row: RowFacts, j: number, g: number, given: number): number {
  const { c, k } = row.kernel;
  const p = row.probs[j] as number;
  if (p === 0) return Math.abs(g) * FLUSH + FLUSH;
  const surprise = drop(row, j) + row.stats.logSum;
  const relative = Math.expm1(given + U * surprise) + U * (c + k * surprise) + U;
  return Math.abs(g) * (p * relative + FLUSH) + FLUSH;
}

/** nllLoss `-w_t logp_t`: a product, unless the weight is 1. A subnormal may be flushed. */
export function nllBound(loss: number, weighted: boolean): number {
  return (weighted ? U * Math.abs(loss) : 0) + FLUSH;
}

/** A gradient that is its scale, up to the sign. */
export function scaleBound(by: GradScale): number {
  return by.error * Math.abs(by.scale) + FLUSH;
}

/** Gradient `scale p_j (d_j - D)` of the entropy. */
export function entropyGradientBound(row: RowFacts, j: number, facts: EntropyFacts, by: GradScale): number {
  const p = row.probs[j] as number;
  const size = Math.abs(by.scale);
  if (p === 0) return (1 + size) * FLUSH;
  const d = drop(row, j);
  const excess = Math.abs(d - facts.gap);
  const excessError = facts.gapError + U * d + U * excess;
  return (
    size * (probabilityBound(row, j) * (excess + excessError) + p * (excessError + 2 * U * excess)) +
    by.error * size * p * excess +
    FLUSH
  );
}

/** One element of a binary cross-entropy: its target, and its weights where there are any. */
export interface BinaryElement {
  readonly logit: number;
  readonly target: number;
  readonly weight?: number | undefined;
  readonly posWeight?: number | undefined;
}

/** `log(1 + e^x)` and its error, with the digits of log1p: that of exp, and 4 ULP. */
function softplus(x: number, { c, k }: KernelFacts): { value: number; error: number } {
  // Beyond 200 the tail is gone in float32, and its error with it.
  const size = Math.min(Math.abs(x), 200);
  const tail = Math.log1p(Math.exp(-size));
  const value = Math.max(x, 0) + tail;
  return { value, error: tail * U * (c + k * size + 8) + U * value + FLUSH };
}

/** `1 / (1 + e^-x)` and its error: that of exp, a sum and a division. */
function sigmoid(x: number, { c, k }: KernelFacts): { value: number; error: number } {
  const size = Math.min(Math.abs(x), 200);
  const e = Math.exp(-size);
  const value = (x >= 0 ? 1 : e) / (1 + e);
  const exp = U * (c + k * size) * (x >= 0 ? e / (1 + e) : 1);
  return { value, error: value * (exp + DIVISION + 2 * U) + FLUSH };
}

/** The loss `w ((1 - t) softplus(x) + a t softplus(-x))`, of which no part cancels, and its error. */
export function binaryLoss(
  { logit, target, weight, posWeight = 1 }: BinaryElement,
  kernel: KernelFacts = CONSERVATIVE,
): { value: number; error: number } {
  const up = softplus(logit, kernel);
  const down = softplus(-logit, kernel);
  const negative = Math.abs(1 - target);
  const positive = Math.abs(posWeight * target);
  const value = (1 - target) * up.value + posWeight * target * down.value;
  const parts =
    negative * (up.error + 2 * U * up.value) +
    positive * (down.error + 2 * U * down.value) +
    U * Math.abs(value);
  const w = Math.abs(weight ?? 1);
  const round = weight === undefined ? 0 : U * w * Math.abs(value);
  return { value: (weight ?? 1) * value, error: w * parts + round + FLUSH };
}

/** Gradient `scale ((1 - t) sigmoid(x) - a t sigmoid(-x))`; the element's weight is part of the scale. */
export function binaryGradientBound(
  { logit, target, posWeight = 1 }: BinaryElement,
  by: GradScale,
  kernel: KernelFacts = CONSERVATIVE,
): number {
  const on = sigmoid(logit, kernel);
  const off = sigmoid(-logit, kernel);
  const negative = Math.abs(1 - target);
  const positive = Math.abs(posWeight * target);
  const value = Math.abs((1 - target) * on.value - posWeight * target * off.value);
  const error =
    negative * (on.error + 2 * U * on.value) + positive * (off.error + 2 * U * off.value) + U * value;
  return Math.abs(by.scale) * (error + (by.error + U) * value) + FLUSH;
}

/** Gradient `scale (a softplus(-x) - softplus(x))` with respect to the target, or plainly `-scale x`. */
export function binaryTargetGradientBound(
  { logit, posWeight }: BinaryElement,
  by: GradScale,
  kernel: KernelFacts = CONSERVATIVE,
): number {
  const size = Math.abs(by.scale);
  if (posWeight === undefined) return size * (by.error + U) * Math.abs(logit) + FLUSH;
  const up = softplus(logit, kernel);
  const down = softplus(-logit, kernel);
  const value = Math.abs(posWeight * down.value - up.value);
  const error = Math.abs(posWeight) * (down.error + U * down.value) + up.error + U * value;
  return size * (error + (by.error + U) * value) + FLUSH;
}
