import type { Outcome } from '../../bench/measure/benchCase.js';

/** A clock that stood still for a sample has not measured it: what is compared with that is infinitely slow, and nothing is right. */
export function legible(outcomes: readonly Outcome[]): readonly Outcome[] {
  const ratios = outcomes.flatMap(({ timing }) => Object.values(timing?.ratios ?? {}));
  if (ratios.every((quantiles) => Object.values(quantiles).every(Number.isFinite))) return outcomes;
  return outcomes.map(({ timing, ...outcome }) =>
    timing === undefined ? outcome : { ...outcome, leftOut: "this browser's clock is too coarse" },
  );
}
