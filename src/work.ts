import type { LossError } from './errors.js';

/**
 * Something about a tensor's contents that only the device knows, asked when the tensor is read:
 * whether the targets it was computed from were all in range.
 */
export interface Verdict {
  ask(): Promise<LossError | undefined>;
  /** A tensor that depends on the verdict holds it until it is destroyed. */
  retain(): void;
  release(): void;
}

/** Where a tensor's contents come from: what may have gone wrong on the way. */
export interface Work {
  /** Resolves with the error that the device reported for this work or for what it was computed from. Never rejects. */
  readonly failure: Promise<LossError | undefined>;
  readonly verdicts: readonly Verdict[];
}

/** Verdicts that a tensor may leave open. */
const MOST_VERDICTS = 8;

/** Nothing can have gone wrong. */
export const CLEAN: Work = { failure: Promise.resolve(undefined), verdicts: [] };

/** The work of an op: its own outcome, and that of the tensors it read. */
export function deriveWork(
  inputs: readonly Work[],
  failure?: Promise<LossError | undefined>,
  verdicts: readonly Verdict[] = [],
): Work {
  const failures = inputs.filter((work) => work !== CLEAN).map((work) => work.failure);
  if (failure !== undefined) failures.push(failure);
  const inherited = [...new Set(inputs.flatMap((work) => work.verdicts))];
  if (failures.length === 0 && inherited.length === 0 && verdicts.length === 0) return CLEAN;
  // A tensor that is rewritten in place again and again inherits a verdict each time; the oldest are asked now, in the background.
  const old = inherited.splice(0, Math.max(0, inherited.length - MOST_VERDICTS));
  failures.push(...old.map((verdict) => verdict.ask()));
  return {
    failure: Promise.all(failures).then((found) => found.find((error) => error !== undefined)),
    verdicts: [...inherited, ...verdicts],
  };
}
