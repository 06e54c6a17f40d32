import ofRow from '../../../shaders/epilogue/log-softmax-grad.wgsl?raw';
import ownExp from '../../../shaders/lib/own-exp.wgsl?raw';
import { softmaxLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, matrixRole, resultRole } from './roles.js';

export const logSoftmaxGradEpilogue: Epilogue = {
  name: 'log-softmax-grad',
  source: ownExp + ofRow,
  words: 1,
  libraries: softmaxLibraries,
  oddRows: true,
  roles: {
    logProbs: logitsRole('elements'),
    gradOutput: matrixRole('statistic', 'elements'),
    grad: resultRole,
  },
};
