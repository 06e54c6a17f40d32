// ONNX Runtime Web: models of one or a few operators, on buffers of ours that lie on its device. It has no gradients.
import * as ort from 'onnxruntime-web/webgpu';
import { download, storage, uploaded } from '../../measure/buffers.js';
import type { Case, Contender, Prepared } from '../../measure/contender.js';
import { timeOnce } from '../../measure/work.js';
import { formsContender, inputShape, type PeerInputs, type PeerOp } from './forms.js';
import { type OnnxNode, onnxModel } from './onnxModel.js';

interface Form {
  readonly nodes: readonly OnnxNode[];
  readonly result: string;
  /** The result has one value for each element, for each row, or one in all. */
  readonly per: 'element' | 'row' | 'case';
}

// The classes stay as an axis of size 1.
const LSE: OnnxNode = {
  op: 'ReduceLogSumExp',
  inputs: ['logits'],
  output: 'lse',
  attributes: { axes: [1], keepdims: 1 },
};

const FORMS: { readonly [O in PeerOp]?: Form } = {
  softmax: {
    nodes: [{ op: 'Softmax', inputs: ['logits'], output: 'output', attributes: { axis: -1 } }],
    result: 'output',
    per: 'element',
  },
  logSoftmax: {
    nodes: [LSE, { op: 'Sub', inputs: ['logits', 'lse'], output: 'output' }],
    result: 'output',
    per: 'element',
  },
  logSumExp: {
    nodes: [{ ...LSE, output: 'output', attributes: { axes: [1], keepdims: 0 } }],
    result: 'output',
    per: 'row',
  },
  crossEntropy: {
    nodes: [
      LSE,
      { op: 'GatherElements', inputs: ['logits', 'targets'], output: 'at', attributes: { axis: 1 } },
      { op: 'Sub', inputs: ['lse', 'at'], output: 'losses' },
      { op: 'ReduceMean', inputs: ['losses'], output: 'loss', attributes: { axes: [0, 1], keepdims: 0 } },
    ],
    result: 'loss',
    per: 'case',
  },
  matMul: {
    nodes: [{ op: 'Gemm', inputs: ['hidden', 'weight'], output: 'logits', attributes: { transB: 1 } }],
    result: 'logits',
    per: 'element',
  },
};

const INPUTS = [
  { name: 'logits', type: 'float32' },
  { name: 'hidden', type: 'float32' },
  { name: 'weight', type: 'float32' },
  { name: 'targets', type: 'int32' },
] as const;

/** The operator of the name, for which ORT leaves the GPU: it reads the logits back, and uploads what comes out. */
const OPERATOR: Form = {
  nodes: [{ op: 'LogSoftmax', inputs: ['logits'], output: 'output', attributes: { axis: -1 } }],
  result: 'output',
  per: 'element',
};

/** @param wasm its WebAssembly: an address, or the bytes */
export async function openOnnxRuntime(wasm: string | Uint8Array<ArrayBuffer>): Promise<readonly Contender[]> {
  if (typeof wasm === 'string') ort.env.wasm.wasmPaths = { wasm };
  else ort.env.wasm.wasmBinary = wasm;
  // More threads need a page that is isolated from others, and the work is the GPU's.
  ort.env.wasm.numThreads = 1;
  return [
    formsContender('onnxruntime', FORMS, prepare),
    formsContender('onnxruntime-operator', { logSoftmax: OPERATOR }, prepare),
  ];
}

async function prepare(form: Form, of: Case, given: PeerInputs): Promise<Prepared> {
  const { nodes, result, per } = form;
  const { rows, classes } = of;
  const used = INPUTS.flatMap(({ name, type }) => {
    const values = nodes.some((node) => node.inputs.includes(name)) ? given[name] : undefined;
    // A gather wants as many dimensions of the targets as the logits have.
    const dims = name === 'targets' ? [rows, 1] : inputShape(name, of);
    return values ? [{ name, type, shape: dims, values }] : [];
  });
  const shape = { element: [rows, classes], row: [rows], case: [] }[per];
  const model = onnxModel({ nodes, inputs: used, outputs: [{ name: result, type: 'float32', shape }] });
  const session = await ort.InferenceSession.create(model, { executionProviders: ['webgpu'] });

  const device = (await ort.env.webgpu.device) as GPUDevice;
  const count = shape.reduce((product, size) => product * size, 1);
  const buffers = used.map(({ values }) => uploaded(device, values));
  const output = storage(device, count * Float32Array.BYTES_PER_ELEMENT);
  const feeds = Object.fromEntries(
    used.map(({ name, type, shape: dims }, k) => [
      name,
      ort.Tensor.fromGpuBuffer(buffers[k] as GPUBuffer, { dataType: type, dims: [...dims] }),
    ]),
  );
  const fetches = { [result]: ort.Tensor.fromGpuBuffer(output, { dataType: 'float32', dims: shape }) };
  const prepared: Prepared = {
    async submit(times) {
      // A session takes one run at a time. It resolves when the work is submitted, long before it is done.
      for (let k = 0; k < times; k++) await session.run(feeds, fetches);
    },
    async done() {
      await device.queue.onSubmittedWorkDone();
    },
    async results() {
      await session.run(feeds, fetches);
      return { [result]: await download(device, output, count) };
    },
    destroy() {
      // Released in its own time: nothing that is timed waits for it.
      void session.release();
      for (const buffer of [...buffers, output]) buffer.destroy();
    },
  };
  await timeOnce(prepared);
  return prepared;
}
