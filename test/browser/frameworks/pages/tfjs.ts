// The adapter to TensorFlow.js, on the real one; called from the test.
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { sparseCrossEntropy } from 'webgpu-loss/tfjs';
import { random } from '../../../conformance/data.js';
import { bitsOf, LOSS_CASES, type LossResult, type ThrownError, type Training } from '../cases.js';
import { type BufferCount, cloudBatches, thrown, watchBuffers } from './watch.js';

let buffers: BufferCount;

async function open(): Promise<void> {
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js finds no WebGPU');
  buffers = watchBuffers((tf.backend() as WebGPUBackend).device);
}

/** Each case, with operations of tfjs before and behind it, and none of them awaited. */
async function values(): Promise<LossResult[]> {
  const results: LossResult[] = [];
  for (const { shape, logits, labels, options, factor } of LOSS_CASES) {
    const loss = await sparseCrossEntropy(tf, { ...options, shape });
    const before = tf.memory().numTensors;
    const x = tf.tensor(logits, [...shape]);
    const y = tf.tensor(labels, shape.slice(0, -1), 'int32');
    // Times 2 is exact, so that the logits are what the oracle gets; half of them must not be.
    const half = tf.mul(x, 0.5);
    const f = (h: tf.Tensor): tf.Scalar => tf.mul(loss(tf.mul(h, 2), y), factor);
    const { value, grad } = tf.valueAndGrad(f)(half);
    const read = await loss.read();
    results.push({
      loss: bitsOf(await value.data()),
      read: bitsOf([read]),
      grad: bitsOf(await grad.data()),
    });
    tf.dispose([x, y, half, value, grad]);
    loss.dispose();
    if (tf.memory().numTensors !== before) throw new Error('a tensor was left behind');
  }
  return results;
}

/** A network of two layers on five clouds, in batches of 30 and a last one of 20. */
async function train(): Promise<Training> {
  const data = cloudBatches(random(7)).map(({ rows, points, labels }) => ({
    x: tf.tensor2d(points, [rows, 2]),
    y: tf.tensor1d(labels, 'int32'),
  }));
  const model = layers.sequential({
    layers: [
      layers.layers.dense({
        units: 16,
        activation: 'relu',
        inputShape: [2],
        kernelInitializer: layers.initializers.glorotUniform({ seed: 1 }),
      }),
      layers.layers.dense({ units: 5, kernelInitializer: layers.initializers.glorotUniform({ seed: 2 }) }),
    ],
  });
  const loss = await sparseCrossEntropy(tf, { shape: [30, 5], labelSmoothing: 0.01 });
  await loss.prepare([20, 5]);
  const optimizer = tf.train.adam(0.05);
  const losses: number[] = [];
  const alive = () => ({ arrays: tf.memory().numTensors, ...buffers.alive() });
  let early = alive();
  for (let step = 0; step < 100; step++) {
    const { x, y } = data[step % data.length]!;
    const value = optimizer.minimize(() => loss(model.apply(x) as tf.Tensor2D, y), true)!;
    losses.push((await value.data())[0] as number);
    value.dispose();
    if (step === 20) early = alive();
  }
  const late = alive();
  loss.dispose();
  return { losses, early, late };
}

/** The loss alone, of logits in ever new buffers; what is alive before and after. */
async function manyBuffers(): Promise<{ readonly before: number; readonly after: number }> {
  const loss = await sparseCrossEntropy(tf, { shape: [2, 3] });
  const labels = tf.tensor1d([0, 2], 'int32');
  const kept: tf.Tensor[] = [];
  const score = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const logits = tf.tensor2d([i, 1, 2, 3, 4, 5], [2, 3]);
      kept.push(logits, loss(logits, labels));
    }
    await loss.read();
  };
  await score(70);
  const before = buffers.alive().ownBuffers;
  await score(200);
  const after = buffers.alive().ownBuffers;
  tf.dispose([...kept, labels]);
  loss.dispose();
  return { before, after };
}

/** Two losses on one tape, inside a tidy that makes the labels too; and what disposing of it all leaves. */
async function together(): Promise<{
  readonly grads: readonly number[];
  readonly alone: readonly number[];
  readonly left: number;
}> {
  const loss = await sparseCrossEntropy(tf, { shape: [2, 3] });
  const x = tf.tensor2d([1, 2, 3, -1, 0, 4], [2, 3]);
  const before = tf.memory().numTensors;
  const one = (logits: tf.Tensor, labels: readonly number[]): tf.Scalar =>
    loss(logits, tf.tensor1d([...labels], 'int32'));
  const both = tf.tidy(() => tf.grad((h) => tf.add(one(h, [0, 1]), tf.mul(one(h, [2, 0]), 2)))(x));
  const [first, second] = tf.tidy(() => [
    tf.grad((h) => one(h, [0, 1]))(x),
    tf.grad((h) => one(h, [2, 0]))(x),
  ]);
  const sum = tf.tidy(() => tf.add(first!, tf.mul(second!, 2)));
  const grads = Array.from(await both.data());
  const alone = Array.from(await sum.data());
  tf.dispose([both, first!, second!, sum]);
  const left = tf.memory().numTensors - before;
  x.dispose();
  loss.dispose();
  return { grads, alone, left };
}

async function errors(): Promise<Record<string, ThrownError>> {
  const loss = await sparseCrossEntropy(tf, { shape: [2, 3] });
  const x = tf.tensor2d([1, 2, 3, -1, 0, 4], [2, 3]);
  const y = tf.tensor1d([0, 2], 'int32');
  const gone = tf.tensor2d([1, 2, 3, -1, 0, 4], [2, 3]);
  gone.dispose();
  const small = tf.tensor2d([1, 2, 3], [1, 3]);
  const found: Record<string, ThrownError> = {
    'nothing computed': await thrown(() => loss.read()),
    'float labels': await thrown(() => loss(x, tf.cast(y, 'float32'))),
    'labels of another length': await thrown(() => loss(x, tf.tensor1d([0, 1, 2], 'int32'))),
    'labels that are one-hot': await thrown(() => loss(x, tf.oneHot(y, 3))),
    'integer logits': await thrown(() => loss(tf.cast(x, 'int32'), y)),
    'another shape': await thrown(() => loss(small, tf.tensor1d([0], 'int32'))),
    'no tensor': await thrown(() => loss([1, 2, 3] as unknown as tf.Tensor, y)),
    'a disposed tensor': await thrown(() => loss(gone, y)),
    'no rows': await thrown(() => loss.prepare([0, 3])),
    'no classes': await thrown(() => loss.prepare([])),
    'unknown option': await thrown(() => sparseCrossEntropy(tf, { shape: [2, 3], axis: 0 } as never)),
    'bad option': await thrown(() => sparseCrossEntropy(tf, { shape: [2, 3], labelSmoothing: 2 })),
    'bad reduction': await thrown(() =>
      sparseCrossEntropy(tf, { shape: [2, 3], reduction: 'none' as never }),
    ),
    'bad weight': await thrown(() => sparseCrossEntropy(tf, { shape: [2, 3], weight: new Float32Array(4) })),
    'no namespace': await thrown(() => sparseCrossEntropy({} as typeof tf, { shape: [2, 3] })),
    'another version': await thrown(() => {
      const { device } = tf.backend() as WebGPUBackend;
      return sparseCrossEntropy({ ...tf, backend: () => ({ device }) }, { shape: [2, 3] });
    }),
    'second derivative': await thrown(() =>
      tf.grad((h) => tf.sum(tf.square(tf.grad((g) => loss(g as tf.Tensor, y))(h))))(x),
    ),
  };
  const outside = loss(x, tf.tensor1d([0, 3], 'int32'));
  found['label out of range'] = await thrown(() => loss.read());
  found['its loss'] = { name: String((await outside.data())[0]), message: '' };
  const right = loss(x, y);
  found['the next one'] = await thrown(() => loss.read());
  await tf.setBackend('cpu');
  found['cpu backend'] = await thrown(() => sparseCrossEntropy(tf, { shape: [2, 3] }));
  found['backend changed'] = await thrown(() => loss(x, y));
  await tf.setBackend('webgpu');
  loss.dispose();
  loss.dispose();
  found['disposed'] = await thrown(() => loss(x, y));
  found['disposed, read'] = await thrown(() => loss.read());
  tf.dispose([x, y, small, outside, right]);
  return found;
}

/** What the device refuses: told by `read()`, and by the next call. */
async function refused(): Promise<{ readonly read: ThrownError; readonly next: ThrownError }> {
  const loss = await sparseCrossEntropy(tf, { shape: [2, 3] });
  const x = tf.tensor2d([1, 2, 3, -1, 0, 4], [2, 3]);
  const y = tf.tensor1d([0, 2], 'int32');
  const backend = tf.backend() as WebGPUBackend;
  backend.uploadToGPU(x.dataId);
  (backend.tensorMap.get(x.dataId).resource as GPUBuffer).destroy();
  loss(x, y);
  const read = await thrown(() => loss.read());
  return { read, next: await thrown(() => loss(x, y)) };
}

const page = { open, values, train, manyBuffers, together, errors, refused };

export type TfjsPage = typeof page;

declare global {
  interface Window {
    tfjsPage: TfjsPage;
  }
}
window.tfjsPage = page;
