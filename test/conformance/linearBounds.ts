import * as cpu from '../../src/cpu.js';
import { layoutOf } from '../../src/shape.js';
import { type KernelFacts, logSumExpBound, U } from '../support/bounds.js';
import { crossEntropyBounds } from './crossEntropyBounds.js';
import { CaseRows } from './rows.js';

/** A linear cross-entropy with everything that its bounds depend on. */
export interface LinearProblem {
  readonly hidden: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly targets: Int32Array<ArrayBuffer>;
  /** [rows, features, classes] */
  readonly shape: readonly [number, number, number];
  readonly options: cpu.LinearCrossEntropyOptions;
  /** Where a call has the same rows several times: which of them each row of the call is. Then `gradOutput` is a number. */
  readonly contexts?: Int32Array;
}

export type LinearBounds = Readonly<
  Record<'loss' | 'gradHidden' | 'gradWeight' | 'gradBias', (i: number) => number>
>;

/** Logits as float64 has them, and how far float32 may be from each. */
export interface LinearLogits {
  readonly values: Float64Array;
  readonly errors: Float64Array;
}

/** A logit is a sum of products, off by (features + 2) u times the sum of their sizes, in whatever order they are added up. */
export function linearLogits({
  hidden,
  weight,
  shape: [rows, features, classes],
  options: { bias },
}: Pick<LinearProblem, 'hidden' | 'weight' | 'shape' | 'options'>): LinearLogits {
  const values = new Float64Array(rows * classes);
  const errors = new Float64Array(rows * classes);
  for (let c = 0; c < classes; c++) {
    for (let r = 0; r < rows; r++) {
      let [dot, size] = [bias?.[c] ?? 0, Math.abs(bias?.[c] ?? 0)];
      for (let d = 0; d < features; d++) {
        const term = (hidden[r * features + d] as number) * (weight[c * features + d] as number);
        dot += term;
        size += Math.abs(term);
      }
      values[r * classes + c] = dot;
      errors[r * classes + c] = (features + 2) * U * size;
    }
  }
  return { values, errors };
}

/**
 * Bounds of the results. The error e of a logit moves a loss by sum |g| e, g its gradient, and a probability by p (e + sum p e). The
 * gradients of the operands are sums of products again, each factor with its own error.
 *
 * With a filter, an entry of the logits' gradient that is below the threshold by more than both their errors is exactly 0, one above it by
 * as much is as without; one in between may be either.
 */
export function linearBounds(problem: LinearProblem, kernel: KernelFacts): LinearBounds {
  const { hidden, weight, shape, options } = problem;
  const [distinct, features, classes] = shape;
  const { classWeight, ignoreIndex = -100, labelSmoothing = 0, gradFilter = 0 } = options;
  const { temperature = 1, softcap, zLoss = 0, reduction = 'mean', gradOutput = 1 } = options;
  const contexts = problem.contexts ?? Int32Array.from({ length: distinct }, (_, r) => r);
  const rows = contexts.length;
  const targets = Int32Array.from(contexts, (k) => problem.targets[k] as number);
  const { values: logits, errors } = linearLogits(problem);
  for (let i = 0; i < errors.length; i++) errors[i] = (errors[i] as number) / temperature;
  const loss = { ...options, bias: undefined, weight: classWeight, grad: true };
  const caseRows = new CaseRows(
    layoutOf('bounds', [rows, classes]),
    logits,
    { temperature, softcap },
    kernel,
    contexts,
  );
  const own = crossEntropyBounds(caseRows, targets, loss);
  // What the scale of the gradient is for each row: weight, reduction, upstream.
  const kept = [...targets].filter((t) => t !== ignoreIndex);
  const total = kept.reduce((sum, t) => sum + (classWeight?.[t] ?? 1), 0);
  const [divisor, zDivisor] = reduction === 'mean' ? [total, kept.length] : [1, 1];
  const upstream = (r: number): number =>
    typeof gradOutput === 'number' ? gradOutput : (gradOutput[r] as number);
  /** The gradient of the logits of the distinct rows, each as one row of the call has it, times `scale`. */
  const gradOf = (zScale: number, scale: (r: number) => number): Float64Array =>
    cpu.crossEntropy(logits, problem.targets, [distinct, classes], {
      ...loss,
      reduction: 'none',
      // The cross-entropy is divided by one number and the z-loss by another.
      zLoss: zLoss * zScale,
      gradOutput: Float64Array.from({ length: distinct }, (_, r) => scale(r)),
    }).grad as Float64Array;
  const isKept = (k: number): boolean => problem.targets[k] !== ignoreIndex;

  const lossErrors = once(() => {
    const unit = gradOf(1, () => 1);
    return Float64Array.from({ length: distinct }, (_, k) => {
      if (!isKept(k)) return 0;
      let [moved, most] = [0, 0];
      for (let i = k * classes; i < (k + 1) * classes; i++) {
        const e = errors[i] as number;
        moved += Math.abs(unit[i] as number) * temperature * e;
        most = Math.max(most, e);
      }
      return moved + most * most;
    });
  });

  /** How many rows of the call each distinct row is, and the first of them. */
  const times = new Float64Array(distinct);
  const first = new Int32Array(distinct).fill(-1);
  contexts.forEach((k, r) => {
    times[k] = (times[k] as number) + 1;
    if ((first[k] as number) < 0) first[k] = r;
  });

  const gradients = once(() => {
    const grad = gradOf(zLoss === 0 ? 1 : divisor / zDivisor, (r) => upstream(r) / divisor);
    const gradErrors = new Float64Array(distinct * classes);
    const evenly = classWeight ? sum(classWeight) / classes : 1;
    // Roundings: of each product and division that a factor and its threshold are made of, of the sums of weights, of the filter itself.
    const terms = 20 + (labelSmoothing > 0 ? classes : 0) + (classWeight ? rows : 0);
    for (let k = 0; k < distinct; k++) {
      if (!isKept(k)) continue;
      const row = caseRows.row(first[k] as number);
      const weightOf =
        classWeight && labelSmoothing > 0
          ? Math.max(...(classWeight as Float32Array))
          : (classWeight?.[problem.targets[k] as number] ?? 1);
      const scale = (Math.abs(upstream(k)) * weightOf) / divisor;
      const zScale = (Math.abs(upstream(k)) * Math.abs(zLoss)) / zDivisor;
      const lse = Math.abs(row.stats.logSumExp);
      let mean = 0;
      for (let c = 0; c < classes; c++)
        mean += (row.probs[c] as number) * (errors[k * classes + c] as number);
      for (let c = 0; c < classes; c++) {
        const p = row.probs[c] as number;
        const e = errors[k * classes + c] as number;
        const shift = p * (e + mean);
        // The slope of a soft cap, 1 - tanh^2, changes by at most 2 / cap for each unit of a logit.
        const bend = softcap === undefined ? 0 : (2 * e * (scale + 2 * zScale * lse)) / softcap;
        gradErrors[k * classes + c] =
          (scale * shift + 2 * zScale * (lse * shift + mean * p) + bend) / temperature +
          own.grad((first[k] as number) * classes + c);
      }
      if (gradFilter === 0) continue;
      const target = classWeight?.[problem.targets[k] as number] ?? 1;
      const cross =
        (Math.abs(upstream(k)) * ((1 - labelSmoothing) * target + labelSmoothing * evenly)) / divisor;
      const factor = Math.abs(cross + 2 * zScale * Math.sign(zLoss) * row.stats.logSumExp) / temperature;
      const rounding = terms * U * (cross + 2 * zScale * lse);
      const uncertain = (rounding + 2 * zScale * (mean + logSumExpBound(row))) / temperature;
      for (let i = k * classes; i < (k + 1) * classes; i++) {
        const size = Math.abs(grad[i] as number);
        const either = (gradErrors[i] as number) + gradFilter * uncertain;
        const over = size - gradFilter * factor;
        if (over > either) continue;
        // What is left of an entry that counts as 0 is added to nothing.
        gradErrors[i] = over < -either ? 0 : size + (gradErrors[i] as number);
        if (over < -either) grad[i] = 0;
      }
    }
    return { grad, gradErrors };
  });
  /** What a factor 1 with the gradient of logit `i` adds to the bound of a sum of `count` such products. */
  const share = (i: number, count: number): number => {
    const { grad, gradErrors } = gradients();
    const size = Math.abs(grad[i] as number);
    return size === 0 ? 0 : (gradErrors[i] as number) + (count + 2) * U * size;
  };
  const hiddenRow = known((k) => {
    const bounds = new Float64Array(features);
    for (let c = 0; c < classes; c++) addSizes(bounds, share(k * classes + c, classes), weight, c * features);
    return bounds;
  });
  const weightRow = known((c) => {
    const bounds = new Float64Array(features);
    for (let k = 0; k < distinct; k++) {
      addSizes(bounds, (times[k] as number) * share(k * classes + c, rows), hidden, k * features);
    }
    return bounds;
  });
  const at = (row: (r: number) => Float64Array, i: number): number =>
    row(Math.floor(i / features))[i % features] as number;
  return {
    loss: (i) => {
      if (reduction === 'none') return own.loss(i) + (lossErrors()[contexts[i] as number] as number);
      const moved = contexts.reduce((sum, k) => sum + (lossErrors()[k] as number), 0);
      return own.loss(i) + moved / (reduction === 'mean' ? Math.abs(total) : 1);
    },
    gradHidden: (i) => at((r) => hiddenRow(contexts[r] as number), i),
    gradWeight: (i) => at(weightRow, i),
    gradBias: (c) => times.reduce((sum, n, k) => sum + n * share(k * classes + c, rows), 0),
  };
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}

/** Adds a multiple of the sizes of a line of a matrix. A multiple of 0 adds nothing, whatever the line holds. */
function addSizes(sums: Float64Array, factor: number, matrix: Float32Array, start: number): void {
  if (factor === 0) return;
  for (let d = 0; d < sums.length; d++) {
    sums[d] = (sums[d] as number) + factor * Math.abs(matrix[start + d] as number);
  }
}

/** What `make` gives, made when first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The same for each number. */
function known<T>(make: (k: number) => T): (k: number) => T {
  const all = new Map<number, () => T>();
  return (k) => {
    const value = all.get(k) ?? once(() => make(k));
    all.set(k, value);
    return value();
  };
}
