/**
 * Draws an index as often as its share of `weights` says, which are not negative.
 *
 * @param uniform in [0, 1)
 * @returns undefined where all weights are 0
 */
export function drawIndex(weights: Float64Array, uniform: number): number | undefined {
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  let last: number | undefined;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (!(weight > 0)) continue;
    last = i;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}
