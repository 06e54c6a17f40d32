// The shaders of the entropy and its gradient: loaded by the first call of it.
import ofRow from '../../shaders/epilogue/entropy.wgsl?raw';
import moment from '../../shaders/lib/moment.wgsl?raw';

export { default as statisticSubgroup } from '../../shaders/statistic/entropy.subgroup.wgsl?raw';
export { default as statistic } from '../../shaders/statistic/entropy.wgsl?raw';

export const epilogue: string = moment + ofRow;
