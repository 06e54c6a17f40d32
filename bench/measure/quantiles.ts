import { quantileSorted } from 'd3-array';

/** Where the middle and the tails of some samples lie. */
export interface Quantiles {
  readonly p5: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly p95: number;
}

export function quantilesOf(samples: readonly number[]): Quantiles {
  if (samples.length === 0) throw new RangeError('there are no samples to take quantiles of');
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (p: number): number => quantileSorted(sorted, p) as number;
  return { p5: at(0.05), p25: at(0.25), median: at(0.5), p75: at(0.75), p95: at(0.95) };
}

/**
 * How many times as fast `own` is as `other`: time of the other / own time, round by round, so that what slows a whole round
 * down cancels.
 */
export function ratiosOf(own: readonly number[], other: readonly number[]): Quantiles {
  if (own.length !== other.length) throw new RangeError('ratios need as many samples of one as of the other');
  return quantilesOf(own.map((ms, round) => (other[round] as number) / ms));
}

/** True where the middle half of the ratios lies on one side of 1. */
export function isDifferent({ p25, p75 }: Quantiles): boolean {
  return p25 > 1 || p75 < 1;
}
