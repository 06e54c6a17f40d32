import { logitsLibraries } from '../libraries.js';
import type { Epilogue } from '../variant.js';
import { logitsRole, resultRole, rowResultRole, upstreamRole } from './roles.js';

export const entropyEpilogue: Epilogue = {
  name: 'entropy',
  source: async () => (await import('../entropies.js')).epilogue,
  words: 5,
  libraries: logitsLibraries,
  oddRows: true,
  roles: {
    logits: logitsRole('statistic', 'elements'),
    gradOutput: upstreamRole('row'),
    entropy: rowResultRole,
    grad: resultRole,
  },
};
