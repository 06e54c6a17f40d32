// What a TypeScript user writes: types of arguments, options, results, bindings and errors. Compiled in the tests, never run.
import {
  type AdapterFacts,
  type Context,
  type ContextOptions,
  type CrossEntropyOptions,
  type CrossEntropyResult,
  createContext,
  crossEntropy,
  type DType,
  klDivergence,
  LossError,
  logitStats,
  type OpPlan,
  type Policy,
  planCrossEntropy,
  planSoftmax,
  type Tensor,
  type TypedArray,
} from 'webgpu-loss';
import { crossEntropy as oracle } from 'webgpu-loss/cpu';
import { type GpuOptions, gpu } from 'webgpu-loss/node';

const where: GpuOptions = { adapter: 'hardware', flags: [] };
const policy: Partial<Policy> = { strategy: 'split-row' };
const options: ContextOptions = { backend: 'webgpu', gpu: gpu(where), policy };
const ctx: Context = await createContext(options);
const device: GPUDevice | undefined = ctx.device;
const facts: AdapterFacts = ctx.info;
const dtype: DType = 'bf16';
const logits: Tensor = ctx.tensor(new Uint16Array(6), [2, 3], dtype);

const terms: CrossEntropyOptions = { labelSmoothing: 0.1, grad: true, signal: new AbortController().signal };
const result: CrossEntropyResult = await crossEntropy(logits, Int32Array.of(0, 2), terms);
const values: TypedArray = await result.loss.read();
const { topK } = await logitStats(logits, Int32Array.of(0, 2), { topK: 2 });
const { divergence } = await klDivergence(logits, logits, { target: 'logits' });

const plan = await planCrossEntropy(ctx, { shape: [2, 3], dtype, targets: 'index', grad: true });
const other: OpPlan<{ logits: Tensor; output: Tensor }> = await planSoftmax(ctx, { shape: [2, 3] });
if (device !== undefined) {
  const buffer = device.createBuffer({ size: 256, usage: 0x80 });
  const encoder: GPUCommandEncoder = device.createCommandEncoder();
  const loss = ctx.fromBuffer(buffer, []);
  plan.encode(encoder, { logits, targets: { buffer, offset: 0 }, loss, grad: logits });
}

try {
  // @ts-expect-error An option that does not exist.
  await crossEntropy(logits, Int32Array.of(0, 2), { smoothing: 0.1 });
  // @ts-expect-error Targets are a tensor or an array.
  await crossEntropy(logits, 'the first');
} catch (error) {
  if (error instanceof LossError) console.log(error.op, error.shapes, error.adapter?.vendor, error.cause);
}
console.log(facts.limits.maxBufferSize, values.length, topK?.indices.shape, divergence.dtype, other.passes);
console.log(oracle([1, 2, 3], Int32Array.of(0), [1, 3]).loss satisfies Float64Array);
