import type { Constants } from '../plan/pass.js';

/** What kernels need to divide differences of logits by a temperature. */
export function temperatureConstants(temperature: number): Constants {
  return { gapScale: 1 / temperature };
}
