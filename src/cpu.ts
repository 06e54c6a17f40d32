/**
 * The operations in float64 on plain arrays: what runs where there is no WebGPU, and the oracle of the tests.
 * Nothing here shares code with the kernels.
 */
export {
  type CrossEntropyOptions,
  type CrossEntropyResult,
  crossEntropy,
  type Reduction,
} from './cpu/crossEntropy.js';
export { logSumExp, logSumExpGrad } from './cpu/logSumExp.js';
export {
  type AxisOptions,
  logSoftmax,
  logSoftmaxGrad,
  type SoftmaxOptions,
  softmax,
  softmaxGrad,
} from './cpu/softmax.js';
