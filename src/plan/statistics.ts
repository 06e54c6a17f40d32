import censusSubgroup from '../../shaders/statistic/census.subgroup.wgsl?raw';
import census from '../../shaders/statistic/census.wgsl?raw';
import softmaxSubgroup from '../../shaders/statistic/softmax.subgroup.wgsl?raw';
import softmax from '../../shaders/statistic/softmax.wgsl?raw';
import sumSubgroup from '../../shaders/statistic/sum.subgroup.wgsl?raw';
import sum from '../../shaders/statistic/sum.wgsl?raw';
import type { Source, Statistic } from './variant.js';

export const softmaxStatistic: Statistic = {
  name: 'softmax',
  source: softmax,
  subgroupSource: softmaxSubgroup,
  words: 3,
  loaded: true,
};

export const weightedSoftmaxStatistic: Statistic = {
  name: 'weighted-softmax',
  source: async () => (await import('./spreadTargets.js')).weighted,
  subgroupSource: async () => (await import('./spreadTargets.js')).weightedSubgroup,
  words: 7,
  absorption: async () => (await import('./spreadTargets.js')).absorption,
};

export const sumStatistic: Statistic = { name: 'sum', source: sum, subgroupSource: sumSubgroup, words: 2 };

export const twoSumsStatistic: Statistic = {
  name: 'two-sums',
  source: async () => (await import('./divergences.js')).twoSums,
  subgroupSource: async () => (await import('./divergences.js')).twoSumsSubgroup,
  words: 4,
};

export const censusStatistic: Statistic = {
  name: 'census',
  source: census,
  subgroupSource: censusSubgroup,
  words: 5,
};

export const entropyStatistic: Statistic = {
  name: 'entropy',
  source: async () => (await import('./entropies.js')).statistic,
  subgroupSource: async () => (await import('./entropies.js')).statisticSubgroup,
  words: 4,
};

/** Words of `logitStatsStatistic` where lanes merge it; its list lies apart. */
export const LOGIT_STATS_WORDS = 6;

/**
 * With a list of up to `room` classes, which is also the size `LIST` of its variants. The list lies in workgroup memory and is merged
 * there, so that there is no form for subgroups.
 */
export function logitStatsStatistic(room: number): Statistic {
  const source: Source = async () => (await import('./rowStatistics.js')).statistic;
  return { name: 'logit-stats', source, words: 5 + 2 * room };
}

/** The list alone, of classes behind those that are known. */
export function nextTopStatistic(room: number): Statistic {
  const source: Source = async () => (await import('./rowStatistics.js')).nextStatistic;
  return { name: 'next-top', source, words: 2 * room };
}
