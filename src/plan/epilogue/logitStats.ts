import { logitsLibraries, sumLibraries } from '../libraries.js';
import type { Epilogue, KernelRole } from '../variant.js';
import { logitsRole, rowResultRole, rowRole } from './roles.js';

/** Words of a row's packed values. */
export const PACKED_WORDS = 5;
/** Words that say where the next round of a row's list goes on. */
export const LAST_WORDS = 2;

/** No class: a target that is absent is out of range. */
const NO_CLASS = '0xffffffffu';

const values: Readonly<Record<string, KernelRole>> = {
  logSumExp: rowResultRole,
  entropy: rowResultRole,
  argmax: rowResultRole,
  targetLogProb: rowResultRole,
  targetRank: rowResultRole,
};

const list: Readonly<Record<string, KernelRole>> = {
  topKValues: rowResultRole,
  topKIndices: rowResultRole,
  last: rowResultRole,
};

export const logitStatsEpilogue: Epilogue = {
  name: 'logit-stats',
  source: async () => (await import('../rowStatistics.js')).epilogue,
  words: 0,
  libraries: logitsLibraries,
  roles: {
    logits: logitsRole('statistic', 'row'),
    targets: rowRole(NO_CLASS, 'statistic', 'row'),
    ...values,
    packed: rowResultRole,
    ...list,
  },
};

/** From packed values to results. */
export const logitStatsUnpackEpilogue: Epilogue = {
  name: 'logit-stats-unpack',
  source: async () => (await import('../rowStatistics.js')).unpack,
  words: 0,
  libraries: sumLibraries,
  roles: { packed: rowRole('0u', 'row'), ...values },
};

/** A further round of the list. */
export const nextTopEpilogue: Epilogue = {
  name: 'next-top',
  source: async () => (await import('../rowStatistics.js')).nextEpilogue,
  words: 0,
  libraries: logitsLibraries,
  roles: { logits: logitsRole('statistic'), known: rowRole('0u', 'statistic', 'row'), ...list },
};
