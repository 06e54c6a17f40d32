// Likelihoods of the first 0, 1, 2, … examples.
import { random } from '../../test/conformance/data.js';

/** `count` indices into `probs`, drawn with these probabilities: the same for the same seed. */
export function drawOutcomes(probs: readonly number[], count: number, seed: number): Int32Array<ArrayBuffer> {
  const next = random(seed);
  return Int32Array.from({ length: count }, () => {
    let rest = next();
    const drawn = probs.findIndex((p) => {
      rest -= p;
      return rest < 0;
    });
    // Rounding may leave a little of the last one.
    return drawn === -1 ? probs.length - 1 : drawn;
  });
}

export interface Likelihoods {
  /** Products of the first n likelihoods, as Float32 has them; `[count + 1]`. */
  readonly single: Float64Array;
  /** The same in Float64. */
  readonly double: Float64Array;
  /** Sums of the first n logarithms, nats. */
  readonly logs: Float64Array;
  /** The first n for which the product is 0; `count + 1` where it never is. */
  readonly singleGone: number;
  readonly doubleGone: number;
}

/** @param surprises −log p of each example, nats */
export function likelihoods(surprises: Float32Array): Likelihoods {
  const length = surprises.length + 1;
  const single = new Float64Array(length).fill(1);
  const double = new Float64Array(length).fill(1);
  const logs = new Float64Array(length);
  for (const [k, surprise] of surprises.entries()) {
    const likelihood = Math.exp(-surprise);
    single[k + 1] = Math.fround((single[k] as number) * Math.fround(likelihood));
    double[k + 1] = (double[k] as number) * likelihood;
    logs[k + 1] = (logs[k] as number) - surprise;
  }
  const gone = (products: Float64Array): number => {
    const at = products.indexOf(0);
    return at === -1 ? length : at;
  };
  return { single, double, logs, singleGone: gone(single), doubleGone: gone(double) };
}
