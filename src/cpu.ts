/**
 * The operations in float64 on plain arrays: what runs where there is no WebGPU, and the oracle of the tests.
 * Nothing here shares code with the kernels.
 *
 * @module webgpu-loss/cpu
 */
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyResult,
  binaryCrossEntropy,
} from './cpu/binaryCrossEntropy.js';
export {
  type CrossEntropyOptions,
  type CrossEntropyResult,
  crossEntropy,
  type Reduction,
} from './cpu/crossEntropy.js';
export { type EntropyOptions, type EntropyResult, entropy } from './cpu/entropy.js';
export {
  type KlDivergenceOptions,
  type KlDivergenceResult,
  type KlTarget,
  klDivergence,
} from './cpu/klDivergence.js';
export {
  type LinearCrossEntropyOptions,
  type LinearCrossEntropyResult,
  linearCrossEntropy,
} from './cpu/linearCrossEntropy.js';
export { type LogitStatsOptions, type LogitStatsResult, logitStats } from './cpu/logitStats.js';
export { logSumExp, logSumExpGrad } from './cpu/logSumExp.js';
export { type NllLossOptions, type NllLossResult, nllLoss } from './cpu/nllLoss.js';
export type { ReductionOptions } from './cpu/reduction.js';
export {
  type AxisOptions,
  logSoftmax,
  logSoftmaxGrad,
  type SoftmaxOptions,
  softmax,
  softmaxGrad,
} from './cpu/softmax.js';
