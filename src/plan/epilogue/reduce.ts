import source from '../../../shaders/epilogue/reduce.wgsl?raw';
import { sumLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { censusRole, matrixRole, rowResultRole } from './roles.js';

export const reduceEpilogue: Epilogue = {
  name: 'reduce',
  source,
  words: 0,
  libraries: sumLibraries,
  roles: { losses: matrixRole('statistic'), census: censusRole, loss: rowResultRole },
};
