// The shaders of statistics of logits: loaded by the first call that asks for them.
import results from '../../shaders/epilogue/logit-stats.wgsl?raw';
import unpacked from '../../shaders/epilogue/logit-stats-unpack.wgsl?raw';
import next from '../../shaders/epilogue/next-top.wgsl?raw';
import stats from '../../shaders/lib/logit-stats.wgsl?raw';
import moment from '../../shaders/lib/moment.wgsl?raw';
import top from '../../shaders/lib/top.wgsl?raw';

export { default as statistic } from '../../shaders/statistic/logit-stats.wgsl?raw';
export { default as nextStatistic } from '../../shaders/statistic/next-top.wgsl?raw';

export const epilogue: string = moment + top + stats + results;
export const unpack: string = stats + unpacked;
export const nextEpilogue: string = top + next;
