import results from '../../../shaders/epilogue/logit-stats.wgsl?raw';
import unpacked from '../../../shaders/epilogue/logit-stats-unpack.wgsl?raw';
import next from '../../../shaders/epilogue/next-top.wgsl?raw';
import stats from '../../../shaders/lib/logit-stats.wgsl?raw';
import moment from '../../../shaders/lib/moment.wgsl?raw';
import top from '../../../shaders/lib/top.wgsl?raw';
import statistic from '../../../shaders/statistic/logit-stats.wgsl?raw';
import nextStatistic from '../../../shaders/statistic/next-top.wgsl?raw';
import { logitsLibraries, sumLibraries } from '../libraries.js';
import type { Epilogue, KernelRole, Statistic } from '../variant.js';
import { logitsRole, rowResultRole, rowRole } from './roles.js';

/** Words of a row's packed values. */
export const PACKED_WORDS = 5;
/** Words that say where the next round of a row's list goes on. */
export const LAST_WORDS = 2;

/** Words of `logitStatsStatistic` where lanes merge it; its list lies apart. */
export const LOGIT_STATS_WORDS = 6;

/**
 * With a list of up to `room` classes, which is also the size `LIST` of its variants. The list lies in workgroup memory and is merged
 * there, so that there is no form for subgroups.
 */
export function logitStatsStatistic(room: number): Statistic {
  return { name: 'logit-stats', source: statistic, words: 5 + 2 * room };
}

/** The list alone, of classes behind those that are known. */
export function nextTopStatistic(room: number): Statistic {
  return { name: 'next-top', source: nextStatistic, words: 2 * room };
}

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
  source: moment + top + stats + results,
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
  source: stats + unpacked,
  words: 0,
  libraries: sumLibraries,
  roles: { packed: rowRole('0u', 'row'), ...values },
};

/** A further round of the list. */
export const nextTopEpilogue: Epilogue = {
  name: 'next-top',
  source: top + next,
  words: 0,
  libraries: logitsLibraries,
  roles: { logits: logitsRole('statistic'), known: rowRole('0u', 'statistic', 'row'), ...list },
};
