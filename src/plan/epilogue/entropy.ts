import ofRow from '../../../shaders/epilogue/entropy.wgsl?raw';
import moment from '../../../shaders/lib/moment.wgsl?raw';
import statisticSubgroup from '../../../shaders/statistic/entropy.subgroup.wgsl?raw';
import statistic from '../../../shaders/statistic/entropy.wgsl?raw';
import { logitsLibraries } from '../libraries.js';
import type { Epilogue, Statistic } from '../variant.js';
import { logitsRole, resultRole, rowResultRole, upstreamRole } from './roles.js';

export const entropyStatistic: Statistic = {
  name: 'entropy',
  source: statistic,
  subgroupSource: statisticSubgroup,
  words: 4,
};

export const entropyEpilogue: Epilogue = {
  name: 'entropy',
  source: moment + ofRow,
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
