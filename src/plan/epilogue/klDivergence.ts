import source from '../../../shaders/epilogue/kl-divergence.wgsl?raw';
import given from '../../../shaders/epilogue/kl-divergence-given.wgsl?raw';
import divergence from '../../../shaders/lib/divergence.wgsl?raw';
import givenLogProbs from '../../../shaders/lib/given-log-probs.wgsl?raw';
import givenProbs from '../../../shaders/lib/given-probs.wgsl?raw';
import absorption from '../../../shaders/strategy/absorption-checked.wgsl?raw';
import emission from '../../../shaders/strategy/emission-checked.wgsl?raw';
import { softmaxLibraries } from '../libraries.js';
import { twoSumsStatistic } from '../statistics.js';
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

/** From the softmax of a teacher's logits. */
export const klDivergenceEpilogue: Epilogue = {
  name: 'kl-divergence',
  source,
  words: 3,
  libraries: [...softmaxLibraries, divergence],
  oddRows: true,
  roles: { ...roles, teacher: distributionRole },
};

/** The sums of a row whose target is probabilities, or their logarithms. */
export const givenDivergenceStatistic: Statistic = { ...twoSumsStatistic, absorption };

/** From probabilities. */
export const klDivergenceProbsEpilogue: Epilogue = {
  name: 'kl-divergence-probs',
  source: given,
  words: 2,
  libraries: [...softmaxLibraries, divergence, givenProbs],
  emission,
  roles: { ...roles, target: matrixRole('statistic', 'elements') },
};

/** From log-probabilities. */
export const klDivergenceLogProbsEpilogue: Epilogue = {
  name: 'kl-divergence-log-probs',
  source: given,
  words: 2,
  libraries: [...softmaxLibraries, divergence, givenLogProbs],
  emission,
  roles,
};
