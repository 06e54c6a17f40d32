import { logSoftmaxRow } from '../common/softmax.js';

/**
 * What theory says of a bigram model, in float64 and without the library: the yardstick for what the training reaches.
 *
 * A text with c(a, b) occurrences of the pair "a, then b" has, for every previous token a, the observed distribution
 * q(b | a) = c(a, b) / c(a), and a its share f(a) = c(a) / N of the pairs. A model p has the
 *
 *   cross-entropy   H(q, p) = -sum_a f(a) sum_b q(b | a) ln p(b | a)        (nats a token)
 *                           = -(1/N) ln (the probability that p gives to the whole text)
 *
 * so the least cross-entropy is the greatest likelihood. It splits into
 *
 *   H(q, p) = H(q) + D(q || p)
 *
 * where H(q), the conditional entropy of the text, does not depend on the model, and D >= 0 with equality only for p = q
 * (Gibbs' inequality). The solution of the training is therefore known: p = q, counting. H(q) is the floor, and D is what
 * remains to be learned.
 */

/** Pairs of neighbouring tokens in a text. */
export interface Bigrams {
  /** Number of tokens in the vocabulary, V. */
  readonly size: number;
  /** c(a, b) at a * V + b; shape [V, V]. */
  readonly counts: Uint32Array;
  /** c(a); shape [V]. 0 for a token that nothing follows. */
  readonly rowCounts: Float64Array;
  /** Number of pairs, N. */
  readonly total: number;
}

/** A model measured against the counts. */
export interface Measures {
  /** H(q, p), nats a token. */
  readonly crossEntropy: number;
  /** D(q || p), nats a token, summed by itself (not as a difference of two large numbers). */
  readonly divergence: number;
  /** exp(H(q, p)): among how many equally likely tokens the model in effect chooses. */
  readonly perplexity: number;
  /** The largest |p(b | a) - q(b | a)| over the pairs, each row weighted by its share f(a) of the text. */
  readonly maxDifference: number;
  /** Half of sum_a f(a) sum_b |p - q|: the probability mass that is in the wrong place, in [0, 1]. */
  readonly totalVariation: number;
  /** Share of the text in whose rows p and q agree on a likeliest next token. */
  readonly sameBest: number;
}

/**
 * The closed-form solution: q(b | a), shape [V, V], row a at a * V. A row without any count is all zeros (it has no
 * successor to learn from, and no weight).
 */
export function countingSolution({ size, counts, rowCounts }: Bigrams): Float32Array<ArrayBuffer> {
  const solution = new Float32Array(size * size);
  for (let row = 0; row < size; row++) {
    const count = rowCounts[row]!;
    if (count === 0) continue;
    for (let cell = row * size; cell < (row + 1) * size; cell++) solution[cell] = counts[cell]! / count;
  }
  return solution;
}

/** H(q), the conditional entropy of the next token given the previous one: the floor, nats a token. */
export function conditionalEntropy({ size, counts, rowCounts, total }: Bigrams): number {
  let entropy = 0;
  for (let row = 0; row < size; row++) {
    for (let cell = row * size; cell < (row + 1) * size; cell++) {
      const count = counts[cell]!;
      if (count > 0) entropy += (count / total) * Math.log(rowCounts[row]! / count);
    }
  }
  return entropy;
}

/**
 * Measures the model p = softmax(logits), row by row, against the counts.
 *
 * @param logits shape [V, V]; -Infinity where p is 0
 */
export function measure(bigrams: Bigrams, logits: ArrayLike<number>): Measures {
  const { size, counts, rowCounts, total } = bigrams;
  let crossEntropy = 0;
  let divergence = 0;
  let maxDifference = 0;
  let absolute = 0;
  let sameBest = 0;
  for (let row = 0; row < size; row++) {
    const count = rowCounts[row]!;
    if (count === 0) continue;
    const share = count / total;
    const start = row * size;
    const logProbs = logSoftmaxRow(logits, start, size);
    let bestModel = 0;
    let bestCount = 0;
    for (let next = 0; next < size; next++) {
      const q = counts[start + next]! / count;
      const logP = logProbs[next]!;
      if (q > 0) {
        crossEntropy -= share * q * logP;
        divergence += share * q * (Math.log(q) - logP);
      }
      const difference = Math.abs(Math.exp(logP) - q);
      absolute += share * difference;
      maxDifference = Math.max(maxDifference, share * difference);
      if (logP > logProbs[bestModel]!) bestModel = next;
      bestCount = Math.max(bestCount, counts[start + next]!);
    }
    if (counts[start + bestModel] === bestCount) sameBest += count;
  }
  return {
    crossEntropy,
    divergence,
    perplexity: Math.exp(crossEntropy),
    maxDifference,
    totalVariation: absolute / 2,
    sameBest: sameBest / total,
  };
}

/**
 * The text's cross-entropy from one loss a row: sum_a f(a) loss(a), nats a token.
 *
 * @param losses cross-entropy of each row, shape [V]; rows without a count are left out whatever they hold
 */
export function weighByFrequency({ rowCounts, total }: Bigrams, losses: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < rowCounts.length; row++) {
    const count = rowCounts[row]!;
    if (count > 0) sum += (count / total) * losses[row]!;
  }
  return sum;
}
