import source from '../../../shaders/epilogue/log-softmax.wgsl?raw';
import { softmaxLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, resultRole } from './roles.js';

export const logSoftmaxEpilogue: Epilogue = {
  name: 'log-softmax',
  source,
  words: 3,
  libraries: softmaxLibraries,
  roles: { logits: logitsRole('statistic', 'elements'), output: resultRole },
};
