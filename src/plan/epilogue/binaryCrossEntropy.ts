import each from '../../../shaders/epilogue/binary-cross-entropy.wgsl?raw';
import sum from '../../../shaders/epilogue/binary-cross-entropy-sum.wgsl?raw';
import element from '../../../shaders/lib/binary-cross-entropy.wgsl?raw';
import absorption from '../../../shaders/strategy/absorption-checked.wgsl?raw';
import emission from '../../../shaders/strategy/emission-checked.wgsl?raw';
import { sumLibraries } from '../libraries.js';
import { sumStatistic } from '../statistics.js';
import type { Epilogue, KernelRole, Statistic } from '../variant.js';
import { classWeightRole, matrixRole, resultRole, rowResultRole, upstreamRole } from './roles.js';

const ONE = '0x3f800000u';

const roles: Readonly<Record<string, KernelRole>> = {
  logits: matrixRole('statistic', 'elements'),
  targets: matrixRole('statistic', 'elements'),
  weight: { ...matrixRole('statistic', 'elements'), absent: ONE },
  posWeight: classWeightRole('statistic', 'elements'),
  // Upstream gradient of each element (reduction 'none'), and of the reduced loss.
  gradOutput: { ...matrixRole('elements'), absent: ONE },
  upstream: upstreamRole('elements'),
  grad: resultRole,
  gradTargets: resultRole,
};

/** A loss for each element. */
export const binaryCrossEntropyEpilogue: Epilogue = {
  name: 'binary-cross-entropy',
  source: element + each,
  words: 0,
  libraries: sumLibraries,
  emission,
  roles: { ...roles, loss: resultRole },
};

/** The sum of a row's losses. */
export const binaryCrossEntropyStatistic: Statistic = { ...sumStatistic, absorption };

/** The sum of the losses of each row. */
export const binaryCrossEntropySumEpilogue: Epilogue = {
  name: 'binary-cross-entropy-sum',
  source: element + sum,
  words: 0,
  libraries: sumLibraries,
  emission,
  roles: { ...roles, losses: rowResultRole },
};
