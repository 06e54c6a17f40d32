import { InvalidArgumentError } from '../errors.js';
import type { Constants } from '../plan/pass.js';

/** Terms further than this below the maximum are less than 2^-125 of it. */
const REACH = 87.3;
/** Half of the largest float. */
const MOST = 1.7e38;

/** Refuses what cannot divide logits: a scale must be a number above 0 that float32 can hold, as must its inverse. */
export function checkScale(op: string, name: string, value: number): void {
  const inverse = Math.fround(1 / value);
  if (typeof value === 'number' && value > 0 && Number.isFinite(inverse) && inverse > 1e-38) return;
  throw new InvalidArgumentError(
    `${op}: ${name} is ${String(value)}; use a number above 0, from 1e-38 to 1e38.`,
    { op },
  );
}

/** What kernels need to divide differences of logits by a temperature. */
export function temperatureConstants(temperature: number): Constants {
  return { gapScale: 1 / temperature, halfReach: Math.min(0.5 * REACH * temperature, MOST) };
}
