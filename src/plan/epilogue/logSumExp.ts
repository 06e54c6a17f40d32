import source from '../../../shaders/epilogue/log-sum-exp.wgsl?raw';
import { logitsLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, rowResultRole } from './roles.js';

export const logSumExpEpilogue: Epilogue = {
  name: 'log-sum-exp',
  source,
  words: 0,
  libraries: logitsLibraries,
  roles: { logits: logitsRole('statistic'), output: rowResultRole },
};
