export { type Context, type ContextOptions, createContext, type FromBufferOptions } from './context.js';
export type { DType, TypedArray } from './dtype.js';
export {
  AbortedError,
  CompileError,
  DeviceLostError,
  type ErrorDetails,
  InvalidArgumentError,
  LimitExceededError,
  LossError,
  OutOfMemoryError,
  TargetOutOfRangeError,
  ValidationError,
  WebGpuUnavailableError,
} from './errors.js';
export type { AdapterFacts, AdapterLimits } from './info.js';
export {
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyResult,
  binaryCrossEntropy,
} from './ops/binaryCrossEntropy.js';
export type { CallOptions, IndexTargets, Vector } from './ops/call.js';
export {
  type CrossEntropyOptions,
  type CrossEntropyResult,
  type CrossEntropyTerms,
  crossEntropy,
} from './ops/crossEntropy.js';
export { type EntropyOptions, type EntropyResult, entropy } from './ops/entropy.js';
export { type GradOptions, logSoftmaxGrad, logSumExpGrad, softmaxGrad } from './ops/grad.js';
export {
  type LogSumExpOptions,
  logSumExp,
  type PlanLogSumExpOptions,
  planLogSumExp,
} from './ops/logSumExp.js';
export { type NllLossOptions, type NllLossResult, nllLoss } from './ops/nllLoss.js';
export type { OpPlan, OutputBindings, PlanBinding, PlanOptions } from './ops/plan.js';
export {
  type CrossEntropyBindings,
  type PlanCrossEntropyOptions,
  planCrossEntropy,
} from './ops/planCrossEntropy.js';
export type { Reduction } from './ops/reduction.js';
export {
  logSoftmax,
  type PlanSoftmaxOptions,
  planLogSoftmax,
  planSoftmax,
  type SoftmaxOptions,
  softmax,
} from './ops/softmax.js';
export type { PassSummary } from './plan/plan.js';
export type { Policy, Strategy } from './plan/policy.js';
export type { Tensor } from './tensor.js';
