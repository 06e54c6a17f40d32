import source from '../../../shaders/epilogue/distribution.wgsl?raw';
import { logitsLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, rowResultRole } from './roles.js';

/** Words of a row's distribution. */
export const DISTRIBUTION_WORDS = 3;

export const distributionEpilogue: Epilogue = {
  name: 'distribution',
  source,
  words: 0,
  libraries: logitsLibraries,
  roles: { logits: logitsRole('statistic'), distribution: rowResultRole },
};
