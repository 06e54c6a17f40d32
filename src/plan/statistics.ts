import censusSubgroup from '../../shaders/statistic/census.subgroup.wgsl?raw';
import census from '../../shaders/statistic/census.wgsl?raw';
import softmaxSubgroup from '../../shaders/statistic/softmax.subgroup.wgsl?raw';
import softmax from '../../shaders/statistic/softmax.wgsl?raw';
import sumSubgroup from '../../shaders/statistic/sum.subgroup.wgsl?raw';
import sum from '../../shaders/statistic/sum.wgsl?raw';
import type { Statistic } from './variant.js';

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

export const censusStatistic: Statistic = {
  name: 'census',
  source: census,
  subgroupSource: censusSubgroup,
  words: 5,
};
