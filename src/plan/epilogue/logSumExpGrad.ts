import { softmaxLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, resultRole, rowRole, upstreamRole } from './roles.js';

export const logSumExpGradEpilogue: Epilogue = {
  name: 'log-sum-exp-grad',
  source: async () => (await import('../gradients.js')).logSumExpGrad,
  words: 0,
  libraries: softmaxLibraries,
  oddRows: true,
  roles: {
    logits: logitsRole('elements'),
    lse: rowRole('0u', 'elements'),
    gradOutput: upstreamRole('elements'),
    grad: resultRole,
  },
};
