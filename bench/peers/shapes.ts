import type { LinearShape } from '../measure/cases.js';

/** Linear layers that take a second or a few on a software adapter; not every peer gets through the last one so soon. */
export const LAYERS: readonly LinearShape[] = [
  [256, 256, 4096],
  [64, 256, 32768],
  [128, 128, 50257],
  [512, 64, 32768],
];
