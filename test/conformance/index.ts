import type { Golden } from '../support/golden.js';
import type { Check } from './check.js';
import { goldenChecks } from './golden.js';

/** Everything that must hold on every target. */
export function checks(golden: Golden): Check[] {
  return [...goldenChecks(golden)];
}
