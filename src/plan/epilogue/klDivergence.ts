import ofTeacher from '../../../shaders/epilogue/kl-divergence.wgsl?raw';
import ofGiven from '../../../shaders/epilogue/kl-divergence-given.wgsl?raw';
import divergence from '../../../shaders/lib/divergence.wgsl?raw';
import logProbs from '../../../shaders/lib/given-log-probs.wgsl?raw';
import probs from '../../../shaders/lib/given-probs.wgsl?raw';
import twoSumsSubgroup from '../../../shaders/statistic/two-sums.subgroup.wgsl?raw';
import twoSums from '../../../shaders/statistic/two-sums.wgsl?raw';
import absorption from '../../../shaders/strategy/absorption-checked.wgsl?raw';
import emission from '../../../shaders/strategy/emission-checked.wgsl?raw';
import { softmaxLibraries } from '../libraries.js';
import type { Epilogue, KernelRole, Statistic } from '../variant.js';
import { logitsRole, matrixRole, resultRole, rowResultRole, rowRole, upstreamRole } from './roles.js';

const distributionRole: KernelRole = rowRole('0u', 'statistic', 'row', 'elements');

const roles: Epilogue['roles'] = {
  logits: logitsRole('statistic', 'elements'),
  target: logitsRole('statistic', 'elements'),
  student: distributionRole,
  gradOutput: upstreamRole('row'),
  divergence: rowResultRole,
  grad: resultRole,
  gradTarget: resultRole,
};

/** The sums of a row. */
export const twoSumsStatistic: Statistic = {
  name: 'two-sums',
  source: twoSums,
  subgroupSource: twoSumsSubgroup,
  words: 4,
};

/** From the softmax of a teacher's logits. */
export const klDivergenceEpilogue: Epilogue = {
  name: 'kl-divergence',
  source: divergence + ofTeacher,
  words: 3,
  libraries: softmaxLibraries,
  oddRows: true,
  roles: { ...roles, teacher: distributionRole },
};

/** The same where the target is probabilities, or their logarithms. */
export const givenDivergenceStatistic: Statistic = { ...twoSumsStatistic, absorption };

/** From probabilities. */
export const klDivergenceProbsEpilogue: Epilogue = {
  name: 'kl-divergence-probs',
  source: divergence + probs + ofGiven,
  words: 2,
  libraries: softmaxLibraries,
  emission,
  roles: { ...roles, target: matrixRole('statistic', 'elements') },
};

/** From log-probabilities. */
export const klDivergenceLogProbsEpilogue: Epilogue = {
  name: 'kl-divergence-log-probs',
  source: divergence + logProbs + ofGiven,
  words: 2,
  libraries: softmaxLibraries,
  emission,
  roles,
};
