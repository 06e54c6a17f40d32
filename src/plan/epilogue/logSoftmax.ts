import source from '../../../shaders/epilogue/log-softmax.wgsl?raw';
import { logitsLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, resultRole } from './roles.js';

export const logSoftmaxEpilogue: Epilogue = {
  name: 'log-softmax',
  source,
  words: 3,
  libraries: logitsLibraries,
  oddRows: true,
  loaded: true,
  roles: { logits: logitsRole('statistic', 'elements'), output: resultRole },
};
