import source from '../../../shaders/epilogue/nll-loss.wgsl?raw';
import { sumLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { classWeightRole, resultRole, rowResultRole, rowRole, upstreamRole } from './roles.js';

export const nllLossEpilogue: Epilogue = {
  name: 'nll-loss',
  source,
  words: 0,
  libraries: sumLibraries,
  hit: true,
  roles: {
    logProbs: { kind: 'matrix', use: 'read', stages: ['row'], absent: '0u' },
    targets: rowRole('0u', 'row', 'elements'),
    weight: classWeightRole('row', 'elements'),
    gradOutput: upstreamRole('elements'),
    census: rowRole('bitcast<u32>(params.divisor)', 'elements'),
    loss: rowResultRole,
    grad: resultRole,
  },
};
