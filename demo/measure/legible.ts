import type { Outcome } from '../../bench/measure/benchCase.js';

/** A clock that stood still for a whole sample has measured nothing, and no ratio to that is right. */
export function legible(outcomes: readonly Outcome[]): readonly Outcome[] {
  if (!outcomes.some(({ timing }) => timing?.ms.p5 === 0)) return outcomes;
  return outcomes.map(({ timing, ...outcome }) =>
    timing === undefined ? outcome : { ...outcome, leftOut: "this browser's clock is too coarse" },
  );
}
