// A distribution over a few outcomes, in whole percents: what is on the screen is exactly what is computed with.

export type Shares = readonly number[];

/** Percents of the whole. */
export const WHOLE = 100;

/**
 * The shares with that of outcome `k` set to `percent`; the others keep their proportions, as far as whole percents can, and share
 * evenly where they were all 0.
 */
export function withShare(shares: Shares, k: number, percent: number): Shares {
  const set = Math.min(WHOLE, Math.max(0, Math.round(percent)));
  const rest = shares.filter((_, j) => j !== k);
  const others = apportion(rest, WHOLE - set);
  return shares.map((_, j) => (j === k ? set : (others[j < k ? j : j - 1] as number)));
}

/** Whole numbers in the proportion of `weights` that add up to `total`: the largest remainders are rounded up. */
export function apportion(weights: Shares, total: number): Shares {
  const sum = weights.reduce((a, b) => a + b, 0);
  const exact = weights.map((weight) => (sum === 0 ? total / weights.length : (weight * total) / sum));
  const whole = exact.map(Math.floor);
  const missing = total - whole.reduce((a, b) => a + b, 0);
  const byRemainder = exact
    .map((value, j) => ({ j, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.j - b.j);
  for (const { j } of byRemainder.slice(0, missing)) whole[j] = (whole[j] as number) + 1;
  return whole;
}
