// The public types: what compiles, what does not, and what comes out. Checked by `tsc`; nothing here runs.
import { assertType, describe, expectTypeOf, test } from 'vitest';
import * as cpu from '../../src/cpu.js';
import {
  type AbortedError,
  type AdapterFacts,
  type BinaryCrossEntropyBindings,
  CompileError,
  type Context,
  type CrossEntropyBindings,
  type CrossEntropyResult,
  createContext,
  crossEntropy,
  DeviceLostError,
  type DType,
  type EntropyBindings,
  type InvalidArgumentError,
  type KlBindings,
  type KlDivergenceResult,
  klDivergence,
  type LimitExceededError,
  type LogitStatsBindings,
  type LogitStatsResult,
  type LogSoftmaxGradBindings,
  type LogSumExpGradBindings,
  LossError,
  logitStats,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  logSumExpGrad,
  type NllLossBindings,
  type OpPlan,
  type OutOfMemoryError,
  type OutputBindings,
  type PassSummary,
  planBinaryCrossEntropy,
  planCrossEntropy,
  planEntropy,
  planKlDivergence,
  planLogitStats,
  planLogSoftmax,
  planLogSoftmaxGrad,
  planLogSumExp,
  planLogSumExpGrad,
  planNllLoss,
  planSoftmax,
  planSoftmaxGrad,
  type SoftmaxGradBindings,
  softmax,
  softmaxGrad,
  TargetOutOfRangeError,
  type Tensor,
  type TypedArray,
  type ValidationError,
  type WebGpuUnavailableError,
} from '../../src/index.js';
import { gpu } from '../../src/node.js';

declare const ctx: Context;
declare const logits: Tensor;
declare const device: GPUDevice;
declare const buffer: GPUBuffer;

describe('contexts', () => {
  test('options', () => {
    expectTypeOf(createContext()).resolves.toEqualTypeOf<Context>();
    expectTypeOf(createContext({ device })).resolves.toEqualTypeOf<Context>();
    createContext({ backend: 'webgpu', gpu: gpu(), policy: { strategy: 'split-row' } });
    createContext({ reproducible: true });
    // @ts-expect-error: true or false
    createContext({ reproducible: 'yes' });
    // @ts-expect-error: no such backend
    createContext({ backend: 'gpu' });
    // @ts-expect-error: no such option
    createContext({ adapter: 'x' });
    // @ts-expect-error: no such strategy
    createContext({ policy: { strategy: 'fast' } });
  });
  test('members', () => {
    expectTypeOf(ctx.backend).toEqualTypeOf<'webgpu' | 'cpu'>();
    expectTypeOf(ctx.device).toEqualTypeOf<GPUDevice | undefined>();
    expectTypeOf(ctx.reproducible).toEqualTypeOf<boolean>();
    expectTypeOf(ctx.info).toEqualTypeOf<AdapterFacts>();
    expectTypeOf(ctx.lost).resolves.toEqualTypeOf<DeviceLostError>();
    expectTypeOf(ctx.destroy).returns.toEqualTypeOf<void>();
    expectTypeOf(ctx).toExtend<Disposable>();
    // @ts-expect-error: a context is made by createContext
    ctx.backend = 'cpu';
  });
});

describe('tensors', () => {
  test('making', () => {
    expectTypeOf(ctx.tensor(new Float32Array(4), [2, 2])).toEqualTypeOf<Tensor>();
    expectTypeOf(ctx.tensor(new Int32Array(4), [4], 'i32')).toEqualTypeOf<Tensor>();
    expectTypeOf(ctx.tensor(new Uint16Array(4), [4], 'bf16')).toEqualTypeOf<Tensor>();
    expectTypeOf(
      ctx.fromBuffer(buffer, [4], { dtype: 'u32', byteOffset: 4, rowStride: 4 }),
    ).toEqualTypeOf<Tensor>();
    ctx.tensor(new Float32Array(1), [] as const);
    // @ts-expect-error: no 64-bit floats
    ctx.tensor(new Float64Array(4), [4]);
    // @ts-expect-error: a shape is an array
    ctx.tensor(new Float32Array(4), 4);
    // @ts-expect-error: no such dtype
    ctx.tensor(new Float32Array(4), [4], 'f64');
    // @ts-expect-error: misspelt
    ctx.fromBuffer(buffer, [4], { offset: 4 });
  });
  test('members', () => {
    expectTypeOf(logits.read()).resolves.toEqualTypeOf<TypedArray>();
    expectTypeOf(logits.read).parameter(0).toExtend<{ signal?: AbortSignal } | undefined>();
    expectTypeOf(logits.shape).toEqualTypeOf<readonly number[]>();
    expectTypeOf(logits.dtype).toEqualTypeOf<DType>();
    expectTypeOf(logits.context).toEqualTypeOf<Context>();
    expectTypeOf(logits.buffer).toEqualTypeOf<GPUBuffer | undefined>();
    expectTypeOf(logits).toExtend<Disposable>();
    // @ts-expect-error: a shape does not change
    logits.shape = [1];
    // @ts-expect-error: nor do its dimensions
    logits.shape[0] = 1;
    logits.write(new Float32Array(4));
    // @ts-expect-error: not an array of numbers
    logits.write([1, 2]);
  });
});

describe('ops', () => {
  test('results', () => {
    expectTypeOf(softmax(logits, { axis: 1 })).resolves.toEqualTypeOf<Tensor>();
    expectTypeOf(logSoftmax(logits)).resolves.toEqualTypeOf<Tensor>();
    expectTypeOf(logSumExp(logits, { keepDims: true })).resolves.toEqualTypeOf<Tensor>();
    expectTypeOf(softmaxGrad(logits, logits)).resolves.toEqualTypeOf<Tensor>();
    expectTypeOf(logSoftmaxGrad(logits, logits, { axis: 0 })).resolves.toEqualTypeOf<Tensor>();
    expectTypeOf(logSumExpGrad(logits, new Float32Array(2), logits)).resolves.toEqualTypeOf<Tensor>();
    expectTypeOf(crossEntropy(logits, new Int32Array(2))).resolves.toEqualTypeOf<CrossEntropyResult>();
    expectTypeOf(
      klDivergence(logits, logits, { target: 'logits' }),
    ).resolves.toEqualTypeOf<KlDivergenceResult>();
    expectTypeOf<KlDivergenceResult['gradTarget']>().toEqualTypeOf<Tensor | undefined>();
    expectTypeOf(logitStats(logits)).resolves.toEqualTypeOf<LogitStatsResult>();
    expectTypeOf<LogitStatsResult['argmax']>().toEqualTypeOf<Tensor>();
    expectTypeOf<LogitStatsResult['targetRank']>().toEqualTypeOf<Tensor | undefined>();
    expectTypeOf<NonNullable<LogitStatsResult['topK']>['indices']>().toEqualTypeOf<Tensor>();
    expectTypeOf<CrossEntropyResult['loss']>().toEqualTypeOf<Tensor>();
    expectTypeOf<CrossEntropyResult['grad']>().toEqualTypeOf<Tensor | undefined>();
    expectTypeOf<CrossEntropyResult['gradTargets']>().toEqualTypeOf<Tensor | undefined>();
    expectTypeOf<CrossEntropyResult['logSumExp']>().toEqualTypeOf<Tensor | undefined>();
  });
  test('arguments', () => {
    crossEntropy(logits, new Uint32Array(2), {
      weight: new Float32Array(3),
      gradOutput: 2,
      grad: 'in-place',
    });
    crossEntropy(logits, logits, { weight: logits, gradOutput: logits, grad: true, gradTargets: false });
    crossEntropy(logits, logits, {
      ignoreIndex: 0,
      labelSmoothing: 0.1,
      reduction: 'none',
      returnLogSumExp: true,
    });
    klDivergence(logits, logits, {
      target: 'probs',
      temperature: 2,
      scaleByTemperatureSquared: true,
      gradOutput: 1,
    });
    // @ts-expect-error: what the target holds must be said
    klDivergence(logits, logits, { temperature: 2 });
    // @ts-expect-error: no such kind of target
    klDivergence(logits, logits, { target: 'index' });
    softmax(logits, { signal: AbortSignal.timeout(1), policy: { vec4: false } });
    logitStats(logits, new Uint32Array(2), { axis: 0, topK: 5 });
    logitStats(logits, undefined, { topK: 5 });
    // @ts-expect-error: the targets come before the options
    logitStats(logits, { topK: 5 });
    // @ts-expect-error: targets are class indices
    logitStats(logits, new Float32Array(2));
    // @ts-expect-error: no index is ignored
    logitStats(logits, logits, { ignoreIndex: -100 });
    // @ts-expect-error: an array is no tensor
    softmax(new Float32Array(4));
    // @ts-expect-error: misspelt
    softmax(logits, { axes: 1 });
    // @ts-expect-error: keepDims is of logSumExp
    softmax(logits, { keepDims: true });
    // @ts-expect-error: no targets
    crossEntropy(logits);
    // @ts-expect-error: targets of 64 bits
    crossEntropy(logits, new BigInt64Array(2));
    // @ts-expect-error: no such reduction
    crossEntropy(logits, logits, { reduction: 'avg' });
    // @ts-expect-error: no such gradient
    crossEntropy(logits, logits, { grad: 'yes' });
    // @ts-expect-error: weights are floats
    crossEntropy(logits, logits, { weight: new Int32Array(3) });
    // @ts-expect-error: undefined is not a way to leave an option out
    crossEntropy(logits, logits, { reduction: undefined });
  });
});

describe('plans', () => {
  test('results', () => {
    expectTypeOf(planSoftmax(ctx, { shape: [2, 3] })).resolves.toEqualTypeOf<OpPlan<OutputBindings>>();
    expectTypeOf(planLogSoftmax(ctx, { shape: [2, 3] })).resolves.toEqualTypeOf<OpPlan<OutputBindings>>();
    expectTypeOf(planLogSumExp(ctx, { shape: [2, 3], keepDims: true })).resolves.toEqualTypeOf<
      OpPlan<OutputBindings>
    >();
    expectTypeOf(
      planCrossEntropy(ctx, { shape: [2, 3], dtype: 'bf16', targets: 'probs', targetDtype: 'f16' }),
    ).resolves.toEqualTypeOf<OpPlan<CrossEntropyBindings>>();
    expectTypeOf(planKlDivergence(ctx, { shape: [2, 3], target: 'logits' })).resolves.toEqualTypeOf<
      OpPlan<KlBindings>
    >();
    // @ts-expect-error: what the target holds must be said
    planKlDivergence(ctx, { shape: [2, 3] });
    expectTypeOf(planLogitStats(ctx, { shape: [2, 3], targets: true, topK: 2 })).resolves.toEqualTypeOf<
      OpPlan<LogitStatsBindings>
    >();
    // @ts-expect-error: the targets are a binding
    planLogitStats(ctx, { shape: [2, 3], targets: new Int32Array(2) });
    planCrossEntropy(ctx, {
      shape: [2, 3],
      targets: 'probs',
      weight: true,
      gradOutput: 'rows',
      reduction: 'none',
    });
    expectTypeOf(
      planNllLoss(ctx, { shape: [2, 3], targetDtype: 'u32', weight: true, gradOutput: 'scalar' }),
    ).resolves.toEqualTypeOf<OpPlan<NllLossBindings>>();
    expectTypeOf(
      planEntropy(ctx, { shape: [2, 3], reduction: 'none', grad: true, gradOutput: 'rows' }),
    ).resolves.toEqualTypeOf<OpPlan<EntropyBindings>>();
    expectTypeOf(
      planBinaryCrossEntropy(ctx, {
        shape: [2, 3],
        weight: true,
        posWeight: true,
        grad: true,
        gradTargets: true,
        reduction: 'none',
        gradOutput: 'elements',
      }),
    ).resolves.toEqualTypeOf<OpPlan<BinaryCrossEntropyBindings>>();
    expectTypeOf(planSoftmaxGrad(ctx, { shape: [2, 3], axis: 0 })).resolves.toEqualTypeOf<
      OpPlan<SoftmaxGradBindings>
    >();
    expectTypeOf(planLogSoftmaxGrad(ctx, { shape: [2, 3], rowStride: 4 })).resolves.toEqualTypeOf<
      OpPlan<LogSoftmaxGradBindings>
    >();
    expectTypeOf(planLogSumExpGrad(ctx, { shape: [2, 3], keepDims: true })).resolves.toEqualTypeOf<
      OpPlan<LogSumExpGradBindings>
    >();
    // @ts-expect-error: one gradient an element, not a row
    planBinaryCrossEntropy(ctx, { shape: [2, 3], reduction: 'none', gradOutput: 'rows' });
    // @ts-expect-error: no axis is the class axis
    planBinaryCrossEntropy(ctx, { shape: [2, 3], axis: 1 });
    // @ts-expect-error: only cross-entropy has a gradient in place
    planNllLoss(ctx, { shape: [2, 3], grad: 'in-place' });
    // @ts-expect-error: entropy has no targets
    planEntropy(ctx, { shape: [2, 3], targetDtype: 'i32' });
    // @ts-expect-error: targets must be said
    planCrossEntropy(ctx, { shape: [2, 3] });
    // @ts-expect-error: no shape
    planSoftmax(ctx, {});
    // @ts-expect-error: the weights are a binding
    planCrossEntropy(ctx, { shape: [2, 3], targets: 'index', weight: new Float32Array(3) });
  });
  test('bindings', async () => {
    const plan = await planCrossEntropy(ctx, { shape: [2, 3], targets: 'index', grad: true });
    const encoder = device.createCommandEncoder();
    expectTypeOf(plan.encode).returns.toEqualTypeOf<void>();
    plan.encode(encoder, { logits, targets: logits, loss: { buffer, offset: 4, size: 8 }, grad: logits });
    plan.encode(encoder.beginComputePass(), { logits, targets: logits, loss: logits });
    plan.encode(undefined, { logits, targets: { buffer }, loss: logits });
    // @ts-expect-error: no loss
    plan.encode(encoder, { logits, targets: logits });
    // @ts-expect-error: misspelt
    plan.encode(encoder, { logits, targets: logits, loss: logits, gradd: logits });
    // @ts-expect-error: a render pass computes nothing
    plan.encode(device.createRenderBundleEncoder({ colorFormats: [] }), {
      logits,
      targets: logits,
      loss: logits,
    });
    expectTypeOf(plan.passes).toEqualTypeOf<readonly PassSummary[]>();
    expectTypeOf(plan.scratchBytes).toEqualTypeOf<number>();
    expectTypeOf(plan.destroy).returns.toEqualTypeOf<void>();
  });
});

describe('errors', () => {
  test('all are errors of the library', () => {
    expectTypeOf<InvalidArgumentError>().toExtend<LossError>();
    expectTypeOf<LimitExceededError>().toExtend<LossError>();
    expectTypeOf<OutOfMemoryError>().toExtend<LossError>();
    expectTypeOf<ValidationError>().toExtend<LossError>();
    expectTypeOf<CompileError>().toExtend<LossError>();
    expectTypeOf<DeviceLostError>().toExtend<LossError>();
    expectTypeOf<WebGpuUnavailableError>().toExtend<LossError>();
    expectTypeOf<AbortedError>().toExtend<LossError>();
    expectTypeOf<TargetOutOfRangeError>().toExtend<LossError>();
    expectTypeOf<TargetOutOfRangeError>().toExtend<RangeError>();
  });
  test('what they know', () => {
    const error: unknown = undefined;
    if (error instanceof LossError) {
      expectTypeOf(error.op).toEqualTypeOf<string>();
      expectTypeOf(error.shapes).toEqualTypeOf<Readonly<Record<string, readonly number[]>>>();
      expectTypeOf(error.adapter).toEqualTypeOf<AdapterFacts | undefined>();
    }
    if (error instanceof TargetOutOfRangeError) {
      assertType<readonly [number, number, number]>([error.row, error.value, error.classes]);
    }
    if (error instanceof CompileError) expectTypeOf(error.source).toEqualTypeOf<string>();
    if (error instanceof DeviceLostError) expectTypeOf(error.reason).toEqualTypeOf<'destroyed' | 'unknown'>();
  });
});

describe('webgpu-loss/cpu and webgpu-loss/node', () => {
  test('typed arrays in and out', () => {
    expectTypeOf(cpu.softmax(new Float32Array(4), [2, 2])).toExtend<Float64Array>();
    expectTypeOf(
      cpu.crossEntropy(new Float32Array(4), new Int32Array(2), [2, 2]).loss,
    ).toExtend<Float64Array>();
  });
  test('a GPU', () => {
    expectTypeOf(gpu({ adapter: 'swiftshader' })).resolves.toEqualTypeOf<GPU>();
    // @ts-expect-error: flags are a list
    gpu({ flags: 'x' });
  });
});
