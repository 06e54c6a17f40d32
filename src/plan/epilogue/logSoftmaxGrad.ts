import source from '../../../shaders/epilogue/log-softmax-grad.wgsl?raw';
import { ownExpLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, matrixRole, resultRole } from './roles.js';

export const logSoftmaxGradEpilogue: Epilogue = {
  name: 'log-softmax-grad',
  source,
  words: 1,
  libraries: ownExpLibraries,
  oddRows: true,
  roles: {
    logProbs: logitsRole('elements'),
    gradOutput: matrixRole('statistic', 'elements'),
    grad: resultRole,
  },
};
