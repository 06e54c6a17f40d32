import source from '../../../shaders/epilogue/log-sum-exp-grad.wgsl?raw';
import { ownExpLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, resultRole, rowRole, upstreamRole } from './roles.js';

export const logSumExpGradEpilogue: Epilogue = {
  name: 'log-sum-exp-grad',
  source,
  words: 0,
  libraries: ownExpLibraries,
  oddRows: true,
  roles: {
    logits: logitsRole('elements'),
    lse: rowRole('0u', 'elements'),
    gradOutput: upstreamRole('elements'),
    grad: resultRole,
  },
};
