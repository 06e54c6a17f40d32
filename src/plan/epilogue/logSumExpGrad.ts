import elements from '../../../shaders/epilogue/log-sum-exp-grad.wgsl?raw';
import ownExp from '../../../shaders/lib/own-exp.wgsl?raw';
import { softmaxLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, resultRole, rowRole, upstreamRole } from './roles.js';

export const logSumExpGradEpilogue: Epilogue = {
  name: 'log-sum-exp-grad',
  source: ownExp + elements,
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
