import type { LinearShape } from '../measure/cases.js';

/** Linear layers that every peer can do in a second or a few, on a software adapter. */
export const LAYERS: readonly LinearShape[] = [
  [256, 256, 4096],
  [64, 256, 32768],
  [128, 128, 50257],
];
