import source from '../../../shaders/epilogue/entropy.wgsl?raw';
import { entropyLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, resultRole, rowResultRole, upstreamRole } from './roles.js';

export const entropyEpilogue: Epilogue = {
  name: 'entropy',
  source,
  words: 5,
  libraries: entropyLibraries,
  oddRows: true,
  roles: {
    logits: logitsRole('statistic', 'elements'),
    gradOutput: upstreamRole('row'),
    entropy: rowResultRole,
    grad: resultRole,
  },
};
