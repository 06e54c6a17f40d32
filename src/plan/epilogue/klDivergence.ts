import { softmaxLibraries } from '../libraries.js';
import { twoSumsStatistic } from '../statistics.js';
import type { Epilogue, KernelRole, Source, Statistic } from '../variant.js';
import { logitsRole, matrixRole, resultRole, rowResultRole, rowRole, upstreamRole } from './roles.js';

const emission: Source = async () => (await import('../divergences.js')).emission;

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
  source: async () => (await import('../divergences.js')).teacher,
  words: 3,
  libraries: softmaxLibraries,
  oddRows: true,
  roles: { ...roles, teacher: distributionRole },
};

/** The sums of a row whose target is probabilities, or their logarithms. */
export const givenDivergenceStatistic: Statistic = {
  ...twoSumsStatistic,
  absorption: async () => (await import('../divergences.js')).absorption,
};

/** From probabilities. */
export const klDivergenceProbsEpilogue: Epilogue = {
  name: 'kl-divergence-probs',
  source: async () => (await import('../divergences.js')).givenProbs,
  words: 2,
  libraries: softmaxLibraries,
  emission,
  roles: { ...roles, target: matrixRole('statistic', 'elements') },
};

/** From log-probabilities. */
export const klDivergenceLogProbsEpilogue: Epilogue = {
  name: 'kl-divergence-log-probs',
  source: async () => (await import('../divergences.js')).givenLogProbs,
  words: 2,
  libraries: softmaxLibraries,
  emission,
  roles,
};
