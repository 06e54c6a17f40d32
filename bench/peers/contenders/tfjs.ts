// TensorFlow.js. Its loss wants one-hot targets: they lie on the GPU before the clock starts, as do indices for a gather.
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Case, Contender, Prepared } from '../../measure/contender.js';
import { timeOnce } from '../../measure/work.js';
import { formsContender, inputShape, type PeerInputs, type PeerOp } from './forms.js';

type Outputs = Readonly<Record<string, tf.Tensor>>;

/** The matrices of a case, those that its op has. */
type Matrices = Readonly<Record<'logits' | 'hidden' | 'weight', tf.Tensor2D>>;

/** What is timed, on the matrices and on what has been made of the targets before. */
interface Form {
  readonly made?: (targets: Int32Array<ArrayBuffer>, of: Case) => readonly tf.Tensor2D[];
  readonly run: (given: Matrices, ...made: readonly tf.Tensor2D[]) => Outputs;
}

const FORMS: { readonly [O in PeerOp]: Form } = {
  softmax: { run: ({ logits }) => ({ output: tf.softmax(logits) }) },
  logSoftmax: { run: ({ logits }) => ({ output: tf.logSoftmax(logits) }) },
  logSumExp: { run: ({ logits }) => ({ output: tf.logSumExp(logits, -1) }) },
  crossEntropy: {
    made: (targets) => [placesOf(targets)],
    run: ({ logits }, places) => ({ loss: gatheredLoss(logits, places as tf.Tensor2D) }),
  },
  crossEntropyGrad: {
    // A gather has no gradient there; losses.softmaxCrossEntropy() takes longer than this.
    made: (targets, { rows, classes }) => [oneHot(targets, classes, -1 / rows)],
    run({ logits }, shares) {
      const { value, grad } = tf.valueAndGrad((x) => sharedLoss(x, shares as tf.Tensor2D))(logits);
      return { loss: value, grad };
    },
  },
  matMul: { run: ({ hidden, weight }) => ({ logits: linear(hidden, weight) }) },
  linearCrossEntropyGrad: {
    made: (targets, { rows, classes }) => [oneHot(targets, classes, -1 / rows)],
    run({ hidden, weight }, shares) {
      const loss = (h: tf.Tensor, w: tf.Tensor): tf.Scalar => sharedLoss(linear(h, w), shares as tf.Tensor2D);
      const { value, grads } = tf.valueAndGrads(loss)([hidden, weight]);
      const [gradHidden, gradWeight] = grads as [tf.Tensor, tf.Tensor];
      return { loss: value, gradHidden, gradWeight };
    },
  },
};

/** hidden · weightᵀ */
function linear(hidden: tf.Tensor, weight: tf.Tensor): tf.Tensor2D {
  return tf.matMul(hidden as tf.Tensor2D, weight as tf.Tensor2D, false, true);
}

/** The mean loss, from one-hot targets times −1 / rows. */
function sharedLoss(logits: tf.Tensor, shares: tf.Tensor2D): tf.Scalar {
  return tf.sum(tf.mul(tf.logSoftmax(logits), shares));
}

/** (softmax − one-hot) / rows. */
const FORMULA: Form = {
  made: (targets, { classes }) => [placesOf(targets), oneHot(targets, classes, 1)],
  run({ logits }, places, hot) {
    const grad = tf.div(tf.sub(tf.softmax(logits), hot as tf.Tensor2D), logits.shape[0]);
    return { loss: gatheredLoss(logits, places as tf.Tensor2D), grad };
  },
};

function gatheredLoss(logits: tf.Tensor2D, places: tf.Tensor2D): tf.Tensor {
  return tf.mean(tf.sub(tf.logSumExp(logits, -1), tf.gatherND(logits, places)));
}

/** Row and class of each target. */
function placesOf(targets: Int32Array<ArrayBuffer>): tf.Tensor2D {
  const places = new Int32Array(2 * targets.length);
  targets.forEach((target, row) => {
    places.set([row, target], 2 * row);
  });
  return tf.tensor2d(places, [targets.length, 2], 'int32');
}

function oneHot(targets: Int32Array<ArrayBuffer>, classes: number, value: number): tf.Tensor2D {
  const values = new Float32Array(targets.length * classes);
  targets.forEach((target, row) => {
    values[row * classes + target] = value;
  });
  return tf.tensor2d(values, [targets.length, classes]);
}

export async function openTfjs(): Promise<readonly Contender[]> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js finds no WebGPU');
  return [
    formsContender('tfjs', FORMS, prepare),
    formsContender('tfjs-formula', { crossEntropyGrad: FORMULA }, prepare),
  ];
}

async function prepare(form: Form, of: Case, given: PeerInputs): Promise<Prepared> {
  const backend = tf.backend() as WebGPUBackend;
  const named = (['logits', 'hidden', 'weight'] as const).flatMap((name) => {
    const values = given[name];
    return values ? [[name, tf.tensor2d(values, inputShape(name, of) as [number, number])] as const] : [];
  });
  const matrices = Object.fromEntries(named) as Matrices;
  const made = given.targets ? (form.made?.(given.targets, of) ?? []) : [];
  const run = (): Outputs => tf.tidy(() => ({ ...form.run(matrices, ...made) }));
  const prepared: Prepared = {
    submit(times) {
      for (let k = 0; k < times; k++) tf.dispose({ ...run() });
    },
    async done() {
      // What is recorded is kept back until there is more of it.
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
      await backend.device.queue.onSubmittedWorkDone();
    },
    async results() {
      const outputs = Object.entries(run());
      const read = outputs.map(
        async ([name, tensor]) => [name, (await tensor.data()) as Float32Array] as const,
      );
      const results = Object.fromEntries(await Promise.all(read));
      for (const [, tensor] of outputs) tensor.dispose();
      return results;
    },
    destroy: () => tf.dispose([...Object.values(matrices), ...made]),
  };
  await timeOnce(prepared);
  return prepared;
}
