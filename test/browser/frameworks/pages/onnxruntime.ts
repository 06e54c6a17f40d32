// The adapter to ONNX Runtime Web, on the real one; called from the test.

import wasm from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import * as ort from 'onnxruntime-web/webgpu';
import { createScorer, type ScorerOptions, type TokenStats } from 'webgpu-loss/onnxruntime';
import { onnxModel } from '../../../../bench/peers/contenders/onnxModel.js';
import { normals } from '../../../conformance/data.js';
import type { ThrownError } from '../cases.js';
import { type BufferCount, thrown, watchBuffers } from './watch.js';

const [TOKENS, VOCABULARY, HIDDEN] = [7, 37, 8];

let device: GPUDevice;
let buffers: BufferCount;
let session: ort.InferenceSession;

/** Opens ORT with a small language model: an embedding of the current token, and a linear layer. */
async function open(): Promise<void> {
  ort.env.wasm.wasmPaths = { wasm };
  ort.env.wasm.numThreads = 1;
  session = await openSession('gpu-buffer');
  device = (await ort.env.webgpu.device) as GPUDevice;
  buffers = watchBuffers(device);
}

function openSession(preferredOutputLocation: 'gpu-buffer' | 'cpu'): Promise<ort.InferenceSession> {
  const model = onnxModel({
    nodes: [
      { op: 'Gather', inputs: ['embedding', 'ids'], output: 'hidden', attributes: { axis: 0 } },
      { op: 'MatMul', inputs: ['hidden', 'head'], output: 'logits' },
    ],
    constants: [
      { name: 'embedding', shape: [VOCABULARY, HIDDEN], values: normals(VOCABULARY * HIDDEN, 1) },
      {
        name: 'head',
        shape: [HIDDEN, VOCABULARY],
        values: normals(HIDDEN * VOCABULARY, 2).map((x) => 3 * x),
      },
    ],
    inputs: [{ name: 'ids', type: 'int32', shape: [2, TOKENS] }],
    outputs: [{ name: 'logits', type: 'float32', shape: [2, TOKENS, VOCABULARY] }],
  });
  return ort.InferenceSession.create(model, { executionProviders: ['webgpu'], preferredOutputLocation });
}

function idsOf(batch: number): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: 2 * TOKENS }, (_, i) => (i * 11 + batch * 5 + ((i * i) % 7)) % VOCABULARY);
}

async function runOn(ids: Int32Array, on = session): Promise<ort.Tensor> {
  const { logits } = await on.run({ ids: new ort.Tensor('int32', ids, [2, TOKENS]) });
  return logits!;
}

/** What a scorer says of a batch, and the logits that it saw. */
export interface ScoredBatch {
  readonly logits: readonly number[];
  readonly targets: readonly number[];
  readonly score: { readonly [name: string]: number };
  readonly positions: { readonly [K in Exclude<keyof TokenStats, 'topK'>]: readonly (number | null)[] };
  readonly top: { readonly logits: readonly number[]; readonly classes: readonly number[] } | undefined;
}

/** Two batches of the language model, with padding, scored against its own input: the next tokens. */
async function language(): Promise<{
  readonly batches: readonly ScoredBatch[];
  readonly total: { readonly [name: string]: number };
  readonly shape: readonly number[];
}> {
  const scorer = await createScorer(ort, { nextToken: true, ignoreIndex: 0, topK: 3 });
  const batches: ScoredBatch[] = [];
  for (const batch of [0, 1]) {
    const ids = idsOf(batch);
    // The end of the second sequence is padding.
    ids.fill(0, 2 * TOKENS - 2 - batch);
    const logits = await runOn(ids);
    if (logits.location !== 'gpu-buffer') throw new Error(`the logits are in ${logits.location}`);
    // Input ids are int64 in most models.
    const given = batch === 0 ? ids : new ort.Tensor('int64', BigInt64Array.from(ids, BigInt), [2, TOKENS]);
    const { positions, ...score } = await scorer.add(logits, given);
    const { topK, ...plain } = positions;
    const values = (await logits.getData(true)) as Float32Array;
    batches.push({
      logits: Array.from(values),
      targets: Array.from(ids),
      score: { ...score },
      positions: {
        targetLogProb: Array.from(plain.targetLogProb),
        targetRank: Array.from(plain.targetRank),
        entropy: Array.from(plain.entropy),
        argmax: Array.from(plain.argmax),
      },
      top: topK && { logits: Array.from(topK.logits), classes: Array.from(topK.classes) },
    });
  }
  return { batches, total: { ...scorer.total }, shape: [2, TOKENS, VOCABULARY] };
}

/** Logits of f16 bits in a tensor of ORT over a buffer, of odd rows; and the same, of any type, on the CPU. */
async function scored(
  type: 'float16' | 'float32',
  location: 'gpu-buffer' | 'cpu',
  bits: readonly number[],
  dims: readonly number[],
  targets: readonly number[],
): Promise<{ readonly [name: string]: number }> {
  const data = type === 'float16' ? Uint16Array.from(bits) : Float32Array.from(bits);
  const options: ScorerOptions = location === 'cpu' ? { cpuLogits: 'upload' } : {};
  const scorer = await createScorer(ort, options);
  let tensor: ort.Tensor;
  let buffer: GPUBuffer | undefined;
  if (location === 'cpu') {
    tensor = new ort.Tensor(type as 'float32', data as Float32Array, dims);
  } else {
    buffer = device.createBuffer({
      size: Math.ceil(data.byteLength / 4) * 4,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    const words = new Uint8Array(buffer.size);
    words.set(new Uint8Array(data.buffer));
    device.queue.writeBuffer(buffer, 0, words);
    tensor = ort.Tensor.fromGpuBuffer(buffer, { dataType: type, dims });
  }
  const { positions: _, ...score } = await scorer.add(tensor, targets);
  buffer?.destroy();
  return { ...score };
}

/** GPU buffers alive after some batches, and after many. */
async function leak(): Promise<{ readonly early: object; readonly late: object; readonly tokens: number }> {
  const scorer = await createScorer(ort, { nextToken: true, topK: 2 });
  let early: object = {};
  for (let batch = 0; batch < 100; batch++) {
    const ids = idsOf(batch);
    const logits = await runOn(ids);
    await scorer.add(logits, ids);
    logits.dispose();
    if (batch === 20) early = buffers.alive();
  }
  return { early, late: buffers.alive(), tokens: scorer.total.tokens };
}

async function errors(): Promise<Record<string, ThrownError>> {
  const scorer = await createScorer(ort);
  const ids = idsOf(0);
  const logits = await runOn(ids);
  const onCpu = new ort.Tensor('float32', new Float32Array(6), [2, 3]);
  const found: Record<string, ThrownError> = {
    'logits on the CPU': await thrown(() => scorer.add(onCpu, [0, 1])),
    'integer logits': await thrown(() =>
      scorer.add(new ort.Tensor('int32', new Int32Array(6), [2, 3]), [0, 1]),
    ),
    'no rows': await thrown(() => scorer.add(new ort.Tensor('float32', [], [0, 3]), [])),
    'one dimension': await thrown(() => scorer.add(new ort.Tensor('float32', [1, 2], [2]), [0])),
    'no tensor': await thrown(() => scorer.add([1, 2, 3] as never, [0])),
    'too few targets': await thrown(() => scorer.add(logits, ids.slice(1))),
    'targets of another shape': await thrown(() =>
      scorer.add(logits, new ort.Tensor('int32', ids, [TOKENS, 2])),
    ),
    'float targets': await thrown(() =>
      scorer.add(logits, new ort.Tensor('float32', new Float32Array(2 * TOKENS), [2, TOKENS])),
    ),
    'broken targets': await thrown(() => scorer.add(logits, [0.5, ...ids.slice(1)])),
    'targets that are none': await thrown(() => scorer.add(logits, 'abc' as never)),
    'target out of range': await thrown(() => scorer.add(logits, [...ids.slice(0, 3), 99, ...ids.slice(4)])),
    'too long a list': await thrown(async () => (await createScorer(ort, { topK: 99 })).add(logits, ids)),
    'unknown option': await thrown(() => createScorer(ort, { shift: true } as never)),
    'bad topK': await thrown(() => createScorer(ort, { topK: 0 })),
    'bad nextToken': await thrown(() => createScorer(ort, { nextToken: 1 as never })),
    'bad ignoreIndex': await thrown(() => createScorer(ort, { ignoreIndex: 0.5 })),
    'bad cpuLogits': await thrown(() => createScorer(ort, { cpuLogits: 'copy' as never })),
    'no namespace': await thrown(() => createScorer({} as never)),
    'no device': await thrown(() => createScorer({ env: { webgpu: { device: undefined } } })),
    'no WebGPU': await thrown(() =>
      createScorer({ env: { webgpu: { device: Promise.reject(new Error('no adapter')) } } }),
    ),
  };
  found['tokens after errors'] = { name: String(scorer.total.tokens), message: '' };
  await scorer.add(logits, ids);
  found['tokens after a batch'] = { name: String(scorer.total.tokens), message: '' };
  scorer.reset();
  found['tokens after reset'] = { name: String(scorer.total.tokens), message: '' };
  const far = await createScorer(ort, { nextToken: true, ignoreIndex: 2 ** 40 });
  await far.add(logits, ids);
  found['tokens with an ignoreIndex far out'] = { name: String(far.total.tokens), message: '' };
  logits.dispose();
  found['disposed logits'] = await thrown(() => scorer.add(logits, ids));
  const cpuSession = await openSession('cpu');
  found['session on the CPU'] = await thrown(async () => scorer.add(await runOn(ids, cpuSession), ids));
  await cpuSession.release();
  return found;
}

const LETTERS = ' abcdefghijklmnopqrstuvwxyz';
const TEXT =
  'call me ishmael some years ago never mind how long precisely having little or no money in my purse and nothing particular to ' +
  'interest me on shore i thought i would sail about a little and see the watery part of the world the whale the whale rolled ' +
  'and the sea rolled on as it rolled five thousand years ago and there she was the white whale seen by all';

/** The bytes of the model that the guide scores: which letter follows which in a text. */
async function bigramModel(): Promise<readonly number[]> {
  const count = LETTERS.length;
  const counts = new Float32Array(count * count).fill(0.1);
  const ids = Array.from(TEXT, (letter) => LETTERS.indexOf(letter));
  for (let i = 1; i < ids.length; i++) counts[ids[i - 1]! * count + ids[i]!]! += 1;
  return Array.from(
    onnxModel({
      nodes: [{ op: 'Gather', inputs: ['table', 'input_ids'], output: 'logits', attributes: { axis: 0 } }],
      constants: [{ name: 'table', shape: [count, count], values: counts.map(Math.log) }],
      inputs: [{ name: 'input_ids', type: 'int64', shape: ['batch', 'tokens'] }],
      outputs: [{ name: 'logits', type: 'float32', shape: ['batch', 'tokens', count] }],
    }),
  );
}

const page = { open, bigramModel, language, scored, leak, errors };

export type OnnxPage = typeof page;

declare global {
  interface Window {
    onnxruntimePage: OnnxPage;
  }
}
window.onnxruntimePage = page;
