import source from '../../../shaders/epilogue/softmax.wgsl?raw';
import { logitsLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, resultRole } from './roles.js';

export const softmaxEpilogue: Epilogue = {
  name: 'softmax',
  source,
  words: 3,
  libraries: logitsLibraries,
  oddRows: true,
  loaded: true,
  roles: { logits: logitsRole('statistic', 'elements'), output: resultRole },
};
