import { logitsLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { classWeightRole, logitsRole, matrixRole, resultRole, rowResultRole, upstreamRole } from './roles.js';

export const crossEntropyProbsEpilogue: Epilogue = {
  name: 'cross-entropy-probs',
  source: async () => (await import('../spreadTargets.js')).probsEpilogue,
  words: 6,
  libraries: logitsLibraries,
  emission: async () => (await import('../spreadTargets.js')).emission,
  roles: {
    logits: logitsRole('statistic', 'elements'),
    targets: matrixRole('statistic', 'elements'),
    weight: classWeightRole('statistic', 'elements'),
    gradOutput: upstreamRole('row'),
    loss: rowResultRole,
    logSumExp: rowResultRole,
    grad: resultRole,
    gradTargets: resultRole,
  },
};
