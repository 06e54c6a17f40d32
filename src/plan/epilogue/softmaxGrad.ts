import source from '../../../shaders/epilogue/softmax-grad.wgsl?raw';
import { sumLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { matrixRole, resultRole } from './roles.js';

export const softmaxGradEpilogue: Epilogue = {
  name: 'softmax-grad',
  source,
  words: 1,
  libraries: sumLibraries,
  oddRows: true,
  roles: {
    probs: matrixRole('statistic', 'elements'),
    gradOutput: matrixRole('statistic', 'elements'),
    grad: resultRole,
  },
};
