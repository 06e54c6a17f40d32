/**
 * Contexts, tensors, operations, plans and errors: all but what is for Node or for plain arrays. Imports nothing of Node.
 *
 * @module webgpu-loss
 */
export { type Context, type ContextOptions, createContext, type FromBufferOptions } from './context.js';
export type { DType, FloatDType, HalfDType, TensorData, TypedArray } from './dtype.js';
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
  type BinaryCrossEntropyBindings,
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyResult,
  binaryCrossEntropy,
  type PlanBinaryCrossEntropyOptions,
  planBinaryCrossEntropy,
} from './ops/binaryCrossEntropy.js';
export type { CallOptions, IndexTargets, Vector } from './ops/call.js';
export {
  type CrossEntropyOptions,
  type CrossEntropyResult,
  type CrossEntropyTerms,
  crossEntropy,
} from './ops/crossEntropy.js';
export {
  type EntropyBindings,
  type EntropyOptions,
  type EntropyResult,
  entropy,
  type PlanEntropyOptions,
  planEntropy,
} from './ops/entropy.js';
export {
  type GradOptions,
  type LogSoftmaxGradBindings,
  type LogSumExpGradBindings,
  logSoftmaxGrad,
  logSumExpGrad,
  type PlanLogSumExpGradOptions,
  planLogSoftmaxGrad,
  planLogSumExpGrad,
  planSoftmaxGrad,
  type SoftmaxGradBindings,
  softmaxGrad,
} from './ops/grad.js';
export {
  type KlBindings,
  type KlDivergenceOptions,
  type KlDivergenceResult,
  type KlTarget,
  klDivergence,
  type PlanKlDivergenceOptions,
  planKlDivergence,
} from './ops/klDivergence.js';
export {
  type LinearCrossEntropyBindings,
  type LinearCrossEntropyOptions,
  type LinearCrossEntropyResult,
  type LinearCrossEntropyTerms,
  linearCrossEntropy,
  type PlanLinearCrossEntropyOptions,
  planLinearCrossEntropy,
} from './ops/linearCrossEntropy.js';
export {
  type LogitStatsBindings,
  type LogitStatsOptions,
  type LogitStatsResult,
  logitStats,
  type PlanLogitStatsOptions,
  planLogitStats,
} from './ops/logitStats.js';
export {
  type LogSumExpOptions,
  logSumExp,
  type PlanLogSumExpOptions,
  planLogSumExp,
} from './ops/logSumExp.js';
export {
  type NllLossBindings,
  type NllLossOptions,
  type NllLossResult,
  nllLoss,
  type PlanNllLossOptions,
  planNllLoss,
} from './ops/nllLoss.js';
export type { OpPlan, OutputBindings, PlanBinding, PlanOptions } from './ops/plan.js';
export type { BufferPart } from './ops/planBindings.js';
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
