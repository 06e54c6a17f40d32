// tfjs on its CPU and WASM backends, as contenders.

import type { Case, Contender, OpName, Results } from '../measure/contender.js';
import { requireTfjs, wasmFolder } from './install.js';

interface TfTensor {
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}

/** What is used of @tensorflow/tfjs-core; the packages are not there when types are checked. */
interface Tfjs {
  setBackend(name: string): Promise<boolean>;
  env(): { set(flag: string, value: boolean): void; get(flag: string): unknown };
  tensor(values: ArrayLike<number>, shape: readonly number[], dtype?: 'int32'): TfTensor;
  tidy<T>(run: () => T): T;
  softmax(x: TfTensor): TfTensor;
  logSoftmax(x: TfTensor): TfTensor;
  logSumExp(x: TfTensor, axis: number, keepDims: boolean): TfTensor;
  max(x: TfTensor, axis: number, keepDims: boolean): TfTensor;
  mean(x: TfTensor): TfTensor;
  log(x: TfTensor): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  gatherND(x: TfTensor, indices: TfTensor): TfTensor;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
}

export type TfjsBackend = 'cpu' | 'wasm';

/** The inputs of a case, uploaded. */
interface Inputs {
  readonly rows: number;
  readonly logits: TfTensor;
  /** Row and class of each target. */
  readonly targets: TfTensor;
  /** The targets as distributions, over the number of rows: what tfjs needs for a gradient. Made beforehand. */
  readonly shares: TfTensor;
}

type Form = (tf: Tfjs, inputs: Inputs) => Readonly<Record<string, TfTensor>>;
type Forms = { readonly [O in OpName]?: Form };

function lossFrom(tf: Tfjs, lse: TfTensor, { logits, targets, rows }: Inputs): TfTensor {
  return tf.mean(tf.sub(tf.reshape(lse, [rows]), tf.gatherND(logits, targets)));
}

/** The gradient of the mean: a softmax, and two passes over it. */
function gradFrom(tf: Tfjs, probs: TfTensor, { shares, rows }: Inputs): TfTensor {
  return tf.sub(tf.mul(probs, 1 / rows), shares);
}

/** The operations by the names that tfjs has for them. */
const OWN: Forms = {
  softmax: (tf, { logits }) => ({ output: tf.softmax(logits) }),
  logSoftmax: (tf, { logits }) => ({ output: tf.logSoftmax(logits) }),
  logSumExp: (tf, { logits }) => ({ output: tf.logSumExp(logits, -1, false) }),
  crossEntropy: (tf, inputs) => ({ loss: lossFrom(tf, tf.logSumExp(inputs.logits, -1, false), inputs) }),
  crossEntropyGrad: (tf, inputs) => ({
    loss: lossFrom(tf, tf.logSumExp(inputs.logits, -1, false), inputs),
    grad: gradFrom(tf, tf.softmax(inputs.logits), inputs),
  }),
};

/** Softmax is by far the fastest that the WASM backend has, and lse = max x - log max p. */
function lseFrom(tf: Tfjs, logits: TfTensor, probs: TfTensor): TfTensor {
  return tf.sub(tf.max(logits, -1, true), tf.log(tf.max(probs, -1, true)));
}

/** The others put together from softmax: faster than what tfjs has by name. */
const COMPOSED: Forms = {
  logSoftmax: (tf, { logits }) => ({ output: tf.sub(logits, lseFrom(tf, logits, tf.softmax(logits))) }),
  logSumExp: (tf, { logits, rows }) => ({
    output: tf.reshape(lseFrom(tf, logits, tf.softmax(logits)), [rows]),
  }),
  crossEntropy: (tf, inputs) => ({
    loss: lossFrom(tf, lseFrom(tf, inputs.logits, tf.softmax(inputs.logits)), inputs),
  }),
  crossEntropyGrad: (tf, inputs) => {
    const probs = tf.softmax(inputs.logits);
    return {
      loss: lossFrom(tf, lseFrom(tf, inputs.logits, probs), inputs),
      grad: gradFrom(tf, probs, inputs),
    };
  },
};

let loaded: Tfjs | undefined;

/** tfjs with both backends; WASM with SIMD, in the one thread that Node gives it. */
function load(): Tfjs {
  if (loaded) return loaded;
  const tf = requireTfjs('@tensorflow/tfjs-core') as Tfjs;
  // Or it looks for the file on the web, and advises to install another package.
  tf.env().set('IS_TEST', true);
  requireTfjs('@tensorflow/tfjs-backend-cpu');
  const wasm = requireTfjs('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(wasmFolder());
  loaded = tf;
  return tf;
}

/** tfjs on one of its backends: by its own operations, or (`composed`) with everything made from softmax. */
export function tfjsContender(backend: TfjsBackend, composed = false): Contender {
  const forms = composed ? COMPOSED : OWN;
  return {
    name: nameOfTfjs(backend, composed),
    async prepare(of, { inputs: data }) {
      const form = forms[of.op];
      if (form === undefined) return undefined;
      const tf = load();
      await tf.setBackend(backend);
      const inputs = upload(tf, of, data);
      const run = (): Readonly<Record<string, TfTensor>> => tf.tidy(() => form(tf, inputs));
      const discard = (tensors: object): void => {
        for (const tensor of Object.values(tensors)) (tensor as TfTensor).dispose();
      };
      discard(run());
      return {
        // Both backends compute at once, in the calling thread.
        submit(times) {
          for (let k = 0; k < times; k++) discard(run());
        },
        done: async () => undefined,
        results: () => read(run()),
        destroy: () => discard([inputs.logits, inputs.targets, inputs.shares]),
      };
    },
  };
}

export function nameOfTfjs(backend: TfjsBackend, composed = false): string {
  return `tfjs-${backend}${composed ? ', composed' : ''}`;
}

function upload(
  tf: Tfjs,
  { rows, classes }: Case,
  data: Readonly<Record<string, ArrayLike<number>>>,
): Inputs {
  const classOf = (row: number): number => data['targets']?.[row] ?? 0;
  const targets = Int32Array.from({ length: 2 * rows }, (_, k) =>
    k % 2 === 0 ? k / 2 : classOf((k - 1) / 2),
  );
  const shares = new Float32Array(rows * classes);
  for (let row = 0; row < rows; row++) shares[row * classes + classOf(row)] = 1 / rows;
  return {
    rows,
    logits: tf.tensor(data['logits'] as ArrayLike<number>, [rows, classes]),
    targets: tf.tensor(targets, [rows, 2], 'int32'),
    shares: tf.tensor(shares, [rows, classes]),
  };
}

async function read(tensors: Readonly<Record<string, TfTensor>>): Promise<Results> {
  const values = Object.entries(tensors).map(async ([name, tensor]) => [name, await tensor.data()] as const);
  return Object.fromEntries(await Promise.all(values));
}
