import type { Reduction } from '../ops/reduction.js';
import { reduceEpilogue } from '../plan/epilogue/reduce.js';
import type { Pass, PassBuilder } from '../plan/pass.js';
import { sumStatistic } from '../plan/statistics.js';

/**
 * Where row work puts a value for each row, what a mean over them divides by, and, in `last`, the passes that reduce them into the
 * role `result`. With a census, its weight takes the place of the divisor.
 */
export function reducing(
  build: PassBuilder,
  work: {
    readonly result: string;
    readonly rows: number;
    readonly reduction: Reduction;
    readonly census?: boolean;
  },
): { readonly values: string; readonly divisor: number; readonly last: () => readonly Pass[] } {
  const { result, rows, reduction, census = false } = work;
  const mean = reduction === 'mean';
  const divisor = mean ? rows : 1;
  if (reduction === 'none') return { values: result, divisor, last: () => [] };
  const losses = build.scratchVector('losses', rows);
  const scale = mean ? meanScale(rows) : 1;
  const last = () => reducePasses(build, { losses, loss: result, rows, divisor, census, scale });
  return { values: losses, divisor, last };
}

/** A power of two at least `count`: what a mean of `count` values is scaled down by, so that their sum cannot overflow where it fits. */
export function meanScale(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, count)));
}

/** The pass that adds up a scratch vector of losses into the role `loss`, divided by `divisor` or by the weight in the census. */
export function reducePasses(
  build: PassBuilder,
  work: {
    readonly losses: string;
    readonly loss: string;
    readonly rows: number;
    readonly divisor: number;
    readonly census: boolean;
    /** What the terms are scaled down by here; or have been already, with `scaled`. */
    readonly scale: number;
    readonly scaled?: boolean;
  },
): readonly Pass[] {
  const { losses, loss, rows, divisor, census, scale, scaled = false } = work;
  return build.build({
    rows: { count: 1, classes: rows, inner: 1, ofRows: true },
    epilogue: reduceEpilogue,
    statistic: sumStatistic,
    roles: { losses, loss, ...(census ? { census: 'census' } : {}) },
    constants: { divisor, prescale: scaled ? 1 : 1 / scale, postscale: scale },
  });
}
