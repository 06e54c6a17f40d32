// How far a float32 result may be from the exact one: a first-order error analysis of a careful kernel, not a guess.
//
// u = 2^-24 is the rounding of one float32 operation. A sum takes `depth` additions in a chain, however a kernel shares it
// among threads; its exp has a relative error of u (c + k d) at an argument of -d.
// The self-test of `webgpu-loss doctor` and the tests measure with these; test/support/bounds.ts has those of the other quantities.
// Where a line has a comment "table", it is the bound the numerics of this library are specified with; the others are
// derived next to them in the same way. Second-order terms (u^2) are left out where they cannot matter.

import { measureRow, newRowStats, type RowStats } from '../../cpu/row.js';

export const U: number = 2 ** -24;
/** A subnormal result, or a subnormal on the way, may be flushed to 0. */
export const FLUSH: number = 2 ** -125;
/** One division or multiplication by a reciprocal: WGSL allows 2.5 ULP, an ULP being 2 u. */
export const DIVISION: number = 5 * U;

/** How a kernel sums, and how good its exp is. */
export interface KernelFacts {
  /** Longest chain of additions in a sum along a row of `n` classes: h. */
  readonly depth: (n: number) => number;
  /** The same for a sum over `n` rows. */
  readonly rowsDepth: (n: number) => number;
  /** The same for the weights of `n` rows' targets. */
  readonly weightsDepth: (n: number) => number;
  /** Relative error of exp(-d): u (c + k d). (6, 5) is the built-in exp at WGSL's worst. */
  readonly c: number;
  readonly k: number;
  /** Relative error of each logit before the softmax, in u: 0 plain, more with a temperature or a softcap. */
  readonly inputError: number;
}

/** Terms that a thread takes in at a time; their sum is a tree. */
const LANES = 16;

/** Longest chain of additions where `threads` threads share a sum of `n` terms and merge in a tree. */
export function sharedDepth(n: number, threads: number, lanes: number = LANES): number {
  return Math.ceil(n / (threads * lanes)) + Math.log2(lanes) + Math.log2(threads);
}

/** The same where workgroups of `threads` take a segment each, and one of them then merges the segments. */
export function splitDepth(n: number, threads: number, segment: number, lanes: number = LANES): number {
  const segments = Math.ceil(n / segment);
  return (
    sharedDepth(Math.min(n, segment), threads, lanes) + Math.ceil(segments / threads) + Math.log2(threads)
  );
}

/** Everything by one thread, and the built-in exp: no strategy is worse. */
export const CONSERVATIVE: KernelFacts = {
  depth: (n) => sharedDepth(n, 1),
  rowsDepth: (n) => sharedDepth(n, 1),
  weightsDepth: (n) => n,
  c: 6,
  k: 5,
  inputError: 0,
};

/** The exact facts of one row, and the bounds that hold for the whole row. */
export interface RowFacts {
  readonly kernel: KernelFacts;
  /** Logits of the row (after temperature and softcap), float64. */
  readonly logits: Float64Array;
  /** Exact probabilities. */
  readonly probs: Float64Array;
  readonly stats: Readonly<RowStats>;
  /** h */
  readonly depth: number;
  /** eta: relative error of the sum S. */
  readonly sumError: number;
  /** Absolute error of log S. */
  readonly logSumError: number;
  /** Absolute error that the transform of the logits alone puts on log-sum-exp. */
  readonly transformError: number;
}

/** Measures one row of exact logits. Bounds of a special row are NaN; its values are compared exactly. */
export function rowFacts(logits: Float64Array, kernel: KernelFacts = CONSERVATIVE): RowFacts {
  const probs = new Float64Array(logits.length);
  const stats = newRowStats();
  measureRow(logits, probs, stats);
  let spread = 0; // D = sum p_j d_j
  let size = 0; // sum p_j |x_j|
  for (let j = 0; j < probs.length; j++) {
    const p = (probs[j] as number) / stats.sum;
    probs[j] = p;
    if (p === 0) continue;
    spread += p * (stats.max - (logits[j] as number));
    size += p * Math.abs(logits[j] as number);
  }
  const depth = kernel.depth(logits.length);
  const transformError = kernel.inputError * U * size;
  // table: relative error of S. An error of the inputs is one of S too: dS/S = sum p_j dx_j.
  const sumError = U * (kernel.c + kernel.k * spread + depth);
  // table: the error of log itself is 2^-21 absolute near 1, and 3 ULP beyond.
  const logSumError = sumError + Math.max(2 ** -21, 6 * U * stats.logSum);
  return { kernel, logits, probs, stats, depth, sumError, logSumError, transformError };
}

export function drop(row: RowFacts, j: number): number {
  return row.stats.max - (row.logits[j] as number);
}

/** Error of `max - x_j` that comes from the transform of the logits. */
export function dropTransformError(row: RowFacts, j: number): number {
  const { inputError } = row.kernel;
  return inputError === 0
    ? 0
    : inputError * U * (Math.abs(row.logits[j] as number) + Math.abs(row.stats.max));
}

/** table */
export function logSumExpBound(row: RowFacts): number {
  return row.logSumError + row.transformError + U * Math.abs(row.stats.logSumExp);
}

/** table, "loss": `log S + (max - x_j)`, the negative log-probability of class j. */
export function surpriseBound(row: RowFacts, j: number): number {
  const d = drop(row, j);
  const transform =
    row.kernel.inputError === 0
      ? 0
      : row.transformError + row.kernel.inputError * U * Math.abs(row.logits[j] as number);
  return row.logSumError + transform + U * d + U * (d + row.stats.logSum);
}

/** Loss `w (log S + max - x_t)` for a class index: one product more than the surprise, unless w is 1. */
export function indexLossBound(row: RowFacts, target: number, weight = 1): number {
  const loss = Math.abs(weight) * (drop(row, target) + row.stats.logSum);
  return Math.abs(weight) * surpriseBound(row, target) + (weight === 1 ? 0 : U * loss) + FLUSH;
}

/** The same bound: a log-probability is the surprise with its sign turned. */
export const logProbabilityBound: typeof surpriseBound = surpriseBound;

/** table. Where an input error e is there, p changes by the factor exp(e). */
export function probabilityBound(row: RowFacts, j: number): number {
  const { c, k } = row.kernel;
  const p = row.probs[j] as number;
  if (p === 0) return FLUSH;
  const relative = U * (6 + c + k * drop(row, j)) + row.sumError;
  const transform = Math.expm1(row.transformError + dropTransformError(row, j));
  return p * (relative + transform) + FLUSH;
}

/** How the gradient of a cross-entropy row is scaled. */
export interface GradScale {
  /** Exact: upstream gradient, class weight of the target (class indices), division of a mean. */
  readonly scale: number;
  /** Relative error of it, see `scaleError`. */
  readonly error: number;
}

/** table, with the error of the scale: gradient `scale (p_j - [j = target])` for a class index. */
export function indexGradientBound(row: RowFacts, j: number, target: number, by: GradScale): number {
  const excess = (row.probs[j] as number) - (j === target ? 1 : 0);
  const size = Math.abs(by.scale);
  return (
    size * (probabilityBound(row, j) + U * Math.abs(excess)) + by.error * size * Math.abs(excess) + FLUSH
  );
}

/** Mean distance from the maximum, D = sum p_j d_j, and the entropy, log S + D. */
export interface EntropyFacts {
  readonly gap: number;
  readonly gapError: number;
  readonly entropy: number;
  readonly error: number;
}

/**
 * Both parts of the entropy are sums of what is positive, so that a small entropy has a small error: here the log counts
 * with the digits of log1p, not with the 2^-21 of the table.
 *
 * D: each term has the errors of its exp, of d_j, of the product and of the sum it goes through (and of the maximum it is
 * moved to); then there are the error of S and a division. log S: the terms but the maximum's own 1 have the errors of S.
 */
export function entropyFacts(row: RowFacts): EntropyFacts {
  const { kernel, probs, stats, depth } = row;
  let gap = 0;
  let square = 0;
  for (let j = 0; j < probs.length; j++) {
    const p = probs[j] as number;
    if (p === 0) continue;
    gap += p * drop(row, j);
    square += p * drop(row, j) ** 2;
  }
  const entropy = stats.logSum + gap;
  // A term beyond the reach of exp, where d_j is at least 87, may be left out.
  const lost = probs.length * 88 * FLUSH;
  const gapError =
    U * ((kernel.c + depth + 4) * gap + kernel.k * square) + gap * (row.sumError + DIVISION + U) + lost;
  const rest = stats.rest / stats.sum;
  const logError = U * ((kernel.c + depth) * rest + kernel.k * gap + 6 * stats.logSum) + lost;
  return { gap, gapError, entropy, error: logError + gapError + U * entropy };
}
