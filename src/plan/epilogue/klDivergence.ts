import source from '../../../shaders/epilogue/kl-divergence.wgsl?raw';
import divergence from '../../../shaders/lib/divergence.wgsl?raw';
import absorption from '../../../shaders/strategy/absorption-checked.wgsl?raw';
import emission from '../../../shaders/strategy/emission-checked.wgsl?raw';
import { softmaxLibraries } from '../libraries.js';
import { twoSumsStatistic } from '../statistics.js';
import type { Epilogue, KernelRole, Statistic } from '../variant.js';
import { logitsRole, matrixRole, resultRole, rowResultRole, rowRole, upstreamRole } from './roles.js';

const libraries = [...softmaxLibraries, divergence];

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

/** From the softmax of a teacher's logits. */
export const klDivergenceEpilogue: Epilogue = {
  name: 'kl-divergence',
  source,
  words: 3,
  libraries,
  oddRows: true,
  roles: { ...roles, teacher: distributionRole },
};

/** The sums of a row whose target is probabilities, or their logarithms. */
export const givenDivergenceStatistic: Statistic = { ...twoSumsStatistic, absorption };

/** From probabilities. */
export const klDivergenceProbsEpilogue: Epilogue = {
  name: 'kl-divergence-probs',
  source: async () => (await import('../givenTargets.js')).givenProbs,
  words: 2,
  libraries,
  emission,
  roles: { ...roles, target: matrixRole('statistic', 'elements') },
};

/** From log-probabilities. */
export const klDivergenceLogProbsEpilogue: Epilogue = {
  name: 'kl-divergence-log-probs',
  source: async () => (await import('../givenTargets.js')).givenLogProbs,
  words: 2,
  libraries,
  emission,
  roles,
};
