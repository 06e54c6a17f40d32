import source from '../../../shaders/epilogue/census.wgsl?raw';
import { sumLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { classWeightRole, matrixRole, rowResultRole } from './roles.js';

/** Words of a census: kept rows, their weight, the first bad row, its value. */
export const CENSUS_WORDS = 4;

/** Stands for "no row" where a census names the first bad row. */
export const NO_ROW = 0xffffffff;

export const censusEpilogue: Epilogue = {
  name: 'census',
  source,
  words: 0,
  libraries: sumLibraries,
  roles: { targets: matrixRole('statistic'), weight: classWeightRole('statistic'), census: rowResultRole },
};
