import source from '../../../shaders/epilogue/cross-entropy-index.wgsl?raw';
import { logitsLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import {
  censusRole,
  classWeightRole,
  logitsRole,
  resultRole,
  rowResultRole,
  rowRole,
  upstreamRole,
} from './roles.js';

export const crossEntropyIndexEpilogue: Epilogue = {
  name: 'cross-entropy-index',
  source,
  words: 8,
  libraries: logitsLibraries,
  oddRows: true,
  loaded: true,
  hit: true,
  roles: {
    logits: logitsRole('statistic', 'row', 'elements'),
    targets: rowRole('0u', 'row'),
    // Every stage: the coefficient of label smoothing, the weight of the target.
    weight: classWeightRole('statistic', 'row', 'elements'),
    gradOutput: upstreamRole('row'),
    census: censusRole,
    loss: rowResultRole,
    logSumExp: rowResultRole,
    grad: resultRole,
  },
};
