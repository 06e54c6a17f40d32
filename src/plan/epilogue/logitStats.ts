import source from '../../../shaders/epilogue/logit-stats.wgsl?raw';
import unpackSource from '../../../shaders/epilogue/logit-stats-unpack.wgsl?raw';
import nextTopSource from '../../../shaders/epilogue/next-top.wgsl?raw';
import stats from '../../../shaders/lib/logit-stats.wgsl?raw';
import top from '../../../shaders/lib/top.wgsl?raw';
import { entropyLibraries, logitsLibraries, sumLibraries } from '../libraries.js';
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
  source,
  words: 0,
  libraries: [...entropyLibraries, top, stats],
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
  source: unpackSource,
  words: 0,
  libraries: [...sumLibraries, stats],
  roles: { packed: rowRole('0u', 'row'), ...values },
};

/** A further round of the list. */
export const nextTopEpilogue: Epilogue = {
  name: 'next-top',
  source: nextTopSource,
  words: 0,
  libraries: [...logitsLibraries, top],
  roles: { logits: logitsRole('statistic'), known: rowRole('0u', 'statistic', 'row'), ...list },
};
