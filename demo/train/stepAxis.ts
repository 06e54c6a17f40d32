import { count } from '../format.js';
import type { Reading } from './messages.js';
import { STEPS_A_RUN } from './training.js';

/** The steps of a training, from 0 to where it rests next. */
export function stepAxis(last: Reading | undefined) {
  const reached = last?.step ?? 0;
  const end = Math.max(STEPS_A_RUN, Math.ceil(reached / STEPS_A_RUN) * STEPS_A_RUN);
  return { domain: [0, end], label: 'step', tickFormat: count };
}
