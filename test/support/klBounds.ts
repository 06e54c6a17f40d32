// Error bounds of divergences, in the manner of bounds.ts: each rounding of a careful kernel once, terms of order u^2 only where
// they are all there is. A temperature divides differences of logits: what belongs to it is in the k of the kernel, see `klRow`.

import {
  FLUSH,
  type GradScale,
  type KernelFacts,
  probabilityBound,
  type RowFacts,
  rowFacts,
  U,
} from './bounds.js';

/** A number as it should be, and how far it may be off. */
export interface Measure {
  readonly value: number;
  readonly error: number;
}

/** A row's divergence and, class by class, its gradients before they are scaled. */
export interface KlFacts {
  /** Sum of q. */
  readonly mass: number;
  /** p_j */
  readonly probs: Float64Array;
  /** q_j */
  readonly target: (j: number) => number;
  /** A class that the student masks has a q_j below the normal floats, which may count as 0: the divergence is infinite or not. */
  readonly undecided: boolean;
  readonly divergence: Measure;
  /** p_j sum q - q_j */
  readonly grad: (j: number) => Measure;
  /** q_j (u_j - D), u_j + 1, or q_j (u_j + 1) */
  readonly gradTarget: (j: number) => Measure;
}

/** A row of logits. Differences from the maximum times 1 / T have two roundings more: exp(-d) is off by 2 u d more, as k by 2; 3 for both. */
export function klRow(logits: Float64Array, temperature: number, kernel: KernelFacts): RowFacts {
  if (temperature === 1) return rowFacts(logits, kernel);
  return rowFacts(
    logits.map((x) => x / temperature),
    { ...kernel, k: kernel.k + 3 },
  );
}

/** Distance of a class from the maximum. */
function drop({ stats, logits }: RowFacts, j: number): number {
  return stats.max - (logits[j] as number);
}

/**
 * Absolute error of log S with the digits of log1p: that of S but for the maximum's own 1, which is exact, and 3 ULP. Classes
 * beyond the reach of exp are left out.
 */
function logSumError(row: RowFacts): number {
  const { kernel, probs, stats, depth } = row;
  let gap = 0;
  probs.forEach((p, j) => {
    if (p > 0) gap += p * drop(row, j);
  });
  const rest = stats.rest / stats.sum;
  return U * ((kernel.c + depth) * rest + kernel.k * gap + 6 * stats.logSum) + probs.length * FLUSH;
}

/**
 * Divergence from the softmax of a teacher's logits, `sum q_j phi(u_j)` with phi(u) = u - 1 + exp(-u).
 *
 * `own` is what u_j alone is off by: it is the difference either of the rows' logits or of their distances from the maximum,
 * whichever are smaller. `common` is what all are off by together, the errors of both log S. Where |u| < 1 (`near`) the kernel
 * makes the term of q_j and u_j, elsewhere (`far`) of q_j, u_j and p_j.
 *
 * By d phi = (1 - exp(-u)) du, own errors of near classes come in times |q_j - p_j|. So does the common one, which all near
 * classes together would cancel, but for the share of p in the far ones; to second order it is taken out, as well as
 * sum (q_j - p_j) shows it.
 */
export function klLogitsFacts(row: RowFacts, teacher: RowFacts): KlFacts {
  const n = row.probs.length;
  const logSums = row.stats.logSum - teacher.stats.logSum;
  const common = logSumError(row) + logSumError(teacher) + U * Math.abs(logSums);
  const shift = Math.abs(teacher.stats.max - row.stats.max);
  const ratios = new Float64Array(n);
  const owns = new Float64Array(n);
  const excesses = new Float64Array(n);
  const excessErrors = new Float64Array(n);
  let divergence = 0;
  let error = n * FLUSH;
  let farMass = 0;
  let sumError = 0;
  for (let j = 0; j < n; j++) {
    const [p, q] = [row.probs[j] as number, teacher.probs[j] as number];
    const [pError, qError] = [probabilityBound(row, j), probabilityBound(teacher, j)];
    const apart = drop(row, j) - drop(teacher, j);
    const across = Math.max(Math.abs((teacher.logits[j] as number) - (row.logits[j] as number)), shift);
    const within = Math.max(drop(row, j), drop(teacher, j));
    const u = q === 0 ? Number.POSITIVE_INFINITY : apart + logSums;
    const known = Number.isFinite(u);
    // Two roundings of parts, one of their difference, two of a temperature, one of the sum with log S.
    const own = known
      ? U * (2 * Math.min(across, within) + 3 * Math.abs(apart) + 2 * Math.abs(u)) + FLUSH
      : 0;
    ratios[j] = u;
    owns[j] = own;
    const decay = Math.exp(-u);
    const near = {
      term: known ? q * (Math.abs(u) < 1 ? u + Math.expm1(-u) : 0) : 0,
      // Series, products: 14 roundings.
      error: Math.abs(q - p) * own + p * own ** 2 + (qError + 14 * U * q) * (u - 1 + decay),
      excess: p * own + (qError + 10 * U * q) * Math.abs(1 - decay),
    };
    const far = {
      term: known ? q * (u - 1) + p : p,
      error: known
        ? q * own + qError * Math.abs(u - 1) + pError + U * (2 * q * Math.abs(u) + 2 * (p + q))
        : pError,
      excess: pError + qError + U * Math.abs(q - p),
    };
    const size = known ? Math.abs(u) : 2;
    // Next to 1 it may be either.
    const kinds = size < 0.999 ? [near] : size > 1.001 ? [far] : [near, far];
    const term = (size < 1 ? near : far).term;
    divergence += term;
    error += Math.max(...kinds.map((kind) => kind.error)) + U * (row.depth + 1) * term;
    excesses[j] = p - q;
    excessErrors[j] = Math.max(...kinds.map((kind) => kind.excess));
    sumError += (excessErrors[j] as number) + U * row.depth * Math.abs(q - p);
    if (size > 0.999) farMass += p;
    // A class that the student alone masks makes the divergence infinite, and no other.
    if (q > 0 && !known) divergence = Number.POSITIVE_INFINITY;
  }
  // What is left of the common error once it is taken out.
  const drift = common * farMass + sumError + 2 * common ** 2;
  error += common * (farMass + sumError) + sumError ** 2 + common ** 2 * (farMass + 8 * U) + U * divergence;
  const of = (j: number) => ({
    q: teacher.probs[j] as number,
    u: ratios[j] as number,
    off: (owns[j] as number) + drift,
  });
  return {
    mass: 1,
    probs: row.probs,
    target: (j) => teacher.probs[j] as number,
    undecided: isUndecided(row, (j) => teacher.probs[j] as number),
    divergence: { value: divergence, error },
    grad: (j) => {
      const { q, u, off } = of(j);
      const isFar = q === 0 || Math.abs(u) > 0.999;
      const p = row.probs[j] as number;
      return {
        value: excesses[j] as number,
        error: (excessErrors[j] as number) + (isFar ? 0 : p * (off + U * common)),
      };
    },
    gradTarget: (j) => {
      const { q, u, off } = of(j);
      if (q === 0) return { value: 0, error: FLUSH };
      const value = u - divergence;
      const roundings = U * (2 * Math.abs(u) + 2 * divergence + 3 * Math.abs(value));
      const qError = probabilityBound(teacher, j);
      const bracket = off + error + roundings;
      return { value: q * value, error: q * bracket + qError * (Math.abs(value) + bracket) };
    },
  };
}

function isUndecided({ probs, logits }: RowFacts, prob: (j: number) => number): boolean {
  return probs.some((_, j) => logits[j] === Number.NEGATIVE_INFINITY && prob(j) > 0 && prob(j) < FLUSH);
}

/** A given target: probabilities, and their logarithms with what those are off by. */
interface Given {
  readonly prob: (j: number) => number;
  readonly probError: (j: number) => number;
  readonly log: (j: number) => number;
  readonly logError: (j: number) => number;
  /** Whether the gradient is that with respect to the logarithm. */
  readonly logs: boolean;
}

/** Probabilities as they are; the log of one has 9 u of itself: a division, a sum, the series, the exponent's part. */
export function klProbsFacts(row: RowFacts, probs: ArrayLike<number>): KlFacts {
  const log = (j: number): number => Math.log(probs[j] as number);
  return klGivenFacts(row, {
    prob: (j) => probs[j] as number,
    // Below the normal numbers it may count as 0.
    probError: (j) => (probs[j] !== 0 && Math.abs(probs[j] as number) < 2 ** -126 ? FLUSH : 0),
    log,
    logError: (j) => 9 * U * Math.abs(log(j)),
    logs: false,
  });
}

/** Log-probabilities as they are; exp above 0 is the square of the inverse of that of half of it below. */
export function klLogProbsFacts(row: RowFacts, logProbs: ArrayLike<number>): KlFacts {
  const log = (j: number): number => logProbs[j] as number;
  const { c, k } = row.kernel;
  return klGivenFacts(row, {
    prob: (j) => Math.exp(log(j)),
    probError: (j) => {
      const [q, size] = [Math.exp(log(j)), Math.abs(log(j))];
      return (q === 0 ? 0 : q * U * ((log(j) > 0 ? 2 * c + 11 : c) + k * size)) + FLUSH;
    },
    log,
    logError: () => 0,
    logs: true,
  });
}

/** `D = sum q_j u_j`: each term has the errors of q_j and u_j, of the product, and of the sum it goes through. */
function klGivenFacts(row: RowFacts, target: Given): KlFacts {
  const common = logSumError(row);
  let [mass, massError, divergence, error] = [0, 0, 0, 0];
  const ratio = (j: number): Measure => {
    const d = drop(row, j);
    const surprise = d + row.stats.logSum;
    const value = target.log(j) + surprise;
    // The distance, two roundings of a temperature, the sum with log S, that with log q.
    return { value, error: target.logError(j) + common + U * (3 * d + surprise + Math.abs(value)) };
  };
  for (let j = 0; j < row.probs.length; j++) {
    const q = target.prob(j);
    if (q === 0) continue;
    const u = ratio(j);
    const size = Math.abs(q);
    const qError = target.probError(j);
    mass += q;
    massError += qError + U * row.depth * size;
    divergence += q * u.value;
    error +=
      size * u.error +
      qError * (Math.abs(u.value) + u.error) +
      U * (row.depth + 2) * size * Math.abs(u.value);
  }
  return {
    mass,
    probs: row.probs,
    target: target.prob,
    undecided: target.logs && isUndecided(row, target.prob),
    divergence: { value: divergence, error: error + U * Math.abs(divergence) + row.probs.length * FLUSH },
    grad: (j) => {
      const [p, q] = [row.probs[j] as number, target.prob(j)];
      const value = mass * p - q;
      const pError = probabilityBound(row, j) * Math.abs(mass);
      return {
        value,
        error: pError + massError * p + target.probError(j) + U * (Math.abs(mass * p) + Math.abs(value)),
      };
    },
    gradTarget: (j) => {
      const q = target.prob(j);
      const u = ratio(j);
      const value = u.value + 1;
      const slopeError = u.error + 2 * U * Math.abs(value);
      if (!target.logs) return { value, error: slopeError };
      if (q === 0) return { value: 0, error: FLUSH };
      const qError = target.probError(j);
      return {
        value: q * value,
        error: q * slopeError + qError * (Math.abs(value) + slopeError) + 2 * U * Math.abs(q * value),
      };
    },
  };
}

/** A gradient: what its measure is off by, its scale, and one more product. */
export function klGradientBound({ value, error }: Measure, by: GradScale): number {
  const size = Math.abs(by.scale);
  return size * error + (by.error + U) * size * Math.abs(value) + (1 + size) * FLUSH;
}

/**
 * What scales the gradients of a divergence: the upstream gradient, a mean, and a temperature's factor: a product and a rounding,
 * twice for its square.
 */
export function klScale(
  upstream: number,
  options: { readonly mean: number | undefined; readonly factor: number },
): GradScale {
  const { mean, factor } = options;
  const error =
    (mean === undefined ? 0 : 6 * U) + (factor === 1 ? 0 : 4 * U) + (Math.abs(upstream) === 1 ? 0 : U);
  return { scale: (upstream * factor) / (mean ?? 1), error };
}
