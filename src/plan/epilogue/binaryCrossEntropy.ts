import source from '../../../shaders/epilogue/binary-cross-entropy.wgsl?raw';
import { expLogLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { classWeightRole, matrixRole, resultRole, rowResultRole, upstreamRole } from './roles.js';

export const binaryCrossEntropyEpilogue: Epilogue = {
  name: 'binary-cross-entropy',
  source,
  words: 0,
  libraries: expLogLibraries,
  roles: {
    logits: matrixRole('statistic', 'elements'),
    targets: matrixRole('statistic', 'elements'),
    weight: { ...matrixRole('statistic', 'elements'), absent: '0x3f800000u' },
    posWeight: classWeightRole('statistic', 'elements'),
    // Upstream gradient of each element (reduction 'none'), and of the reduced loss.
    gradOutput: { ...matrixRole('elements'), absent: '0x3f800000u' },
    upstream: upstreamRole('elements'),
    losses: rowResultRole,
    loss: resultRole,
    grad: resultRole,
    gradTargets: resultRole,
  },
};
