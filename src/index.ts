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
  type LogitStatsBindings,
  type LogitStatsOptions,
  type LogitStatsResult,
  logitStats,
  type PlanLogitStatsOptions,
  planLogitStats,
} from './ops/logitStats.js';
export { type LogSumExpOptions, logSumExp } from './ops/logSumExp.js';
export { type NllLossOptions, type NllLossResult, nllLoss } from './ops/nllLoss.js';
export {
  type CrossEntropyBindings,
  type OpPlan,
  type OutputBindings,
  type PlanBinding,
  type PlanCrossEntropyOptions,
  type PlanLogSumExpOptions,
  type PlanOptions,
  type PlanSoftmaxOptions,
  planCrossEntropy,
  planLogSoftmax,
  planLogSumExp,
  planSoftmax,
} from './ops/plan.js';
export type { Reduction } from './ops/reduction.js';
export { logSoftmax, type SoftmaxOptions, softmax } from './ops/softmax.js';
export type { PassSummary } from './plan/plan.js';
export type { Policy, Strategy } from './plan/policy.js';
export type { Tensor } from './tensor.js';
