// The adapter to jax-js, on the real one; called from the test.
import * as jax from '@jax-js/jax';
import { sparseCrossEntropy } from 'webgpu-loss/jax';
import { random } from '../../../conformance/data.js';
import { bitsOf, LOSS_CASES, type LossResult, type ThrownError, type Training } from '../cases.js';
import { type BufferCount, cloudBatches, thrown, watchBuffers } from './watch.js';

const { numpy: np, nn } = jax;

let buffers: BufferCount;

let early: ThrownError;

async function open(): Promise<void> {
  early = await thrown(() => sparseCrossEntropy(jax));
  if (!(await jax.init('webgpu')).includes('webgpu')) throw new Error('jax-js finds no WebGPU');
  jax.defaultDevice('webgpu');
  buffers = watchBuffers(jax.getWebGPUDevice());
}

/** Each case, through a pullback: the logits are twice what is differentiated. */
async function values(): Promise<LossResult[]> {
  const results: LossResult[] = [];
  for (const { shape, logits, labels, options, factor } of LOSS_CASES) {
    const loss = await sparseCrossEntropy(jax, options);
    const half = np.array(
      logits.map((x) => x / 2),
      { shape: [...shape] },
    );
    const y = np.array(labels, { shape: shape.slice(0, -1) });
    const [x, pullback] = jax.vjp((h: jax.Array) => h.mul(2), [half]);
    const [value, cotangent] = await loss(x, y);
    const read = await loss.read();
    const [grad] = pullback(cotangent.mul(factor)) as [jax.Array];
    pullback.dispose();
    results.push({
      loss: bitsOf(await value.mul(factor).data()),
      read: bitsOf([read]),
      grad: bitsOf(await grad.data()),
    });
    loss.dispose();
  }
  return results;
}

interface Params {
  w1: jax.Array;
  b1: jax.Array;
  w2: jax.Array;
}

/** A network of two layers on five clouds, by gradient descent, in batches of 30 and a last one of 20. */
async function train(): Promise<Training> {
  const next = random(7);
  const data = cloudBatches(next).map(({ rows, points, labels }) => ({
    x: np.array(points, { shape: [rows, 2] }),
    y: np.array(labels),
  }));
  const start = (rows: number, columns: number): jax.Array =>
    np.array(
      Float32Array.from({ length: rows * columns }, () => next() - 0.5),
      { shape: [rows, columns] },
    );
  let params: Params = { w1: start(2, 16), b1: np.array(new Float32Array(16).fill(0.1)), w2: start(16, 5) };
  const loss = await sparseCrossEntropy(jax, { labelSmoothing: 0.01 });
  const losses: number[] = [];
  const alive = () => ({
    arrays: data.reduce((sum, { x, y }) => sum + x.refCount + y.refCount, 0),
    ...buffers.alive(),
  });
  let early = alive();
  for (let step = 0; step < 100; step++) {
    const { x, y } = data[step % data.length]!;
    const model = ({ w1, b1, w2 }: Params): jax.Array => np.dot(nn.relu(np.dot(x.ref, w1).add(b1)), w2);
    const own = jax.tree.ref(params) as unknown as Params;
    const [logits, pullback] = jax.vjp(model, [own]);
    const [value, cotangent] = await loss(logits, y.ref);
    const [grads] = pullback(cotangent) as unknown as [Params];
    pullback.dispose();
    params = {
      w1: params.w1.sub(grads.w1.mul(0.5)),
      b1: params.b1.sub(grads.b1.mul(0.5)),
      w2: params.w2.sub(grads.w2.mul(0.5)),
    };
    await jax.blockUntilReady([params.w1.ref, params.b1.ref, params.w2.ref]).then((all) => {
      for (const array of all) array.dispose();
    });
    losses.push((await value.data())[0] as number);
    if (step === 20) early = alive();
  }
  const late = alive();
  loss.dispose();
  return { losses, early, late };
}

async function errors(): Promise<Record<string, ThrownError>> {
  const loss = await sparseCrossEntropy(jax);
  const x = (): jax.Array => np.array([1, 2, 3, -1, 0, 4]).reshape([2, 3]);
  const y = (...labels: number[]): jax.Array => np.array(Int32Array.from(labels));
  const found: Record<string, ThrownError> = {
    'before init': early,
    'nothing computed': await thrown(() => loss.read()),
    'float labels': await thrown(() => loss(x(), np.array([0.5, 2]))),
    'labels of another length': await thrown(() => loss(x(), y(0, 1, 2))),
    'integer logits': await thrown(() =>
      loss(np.array(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] }), y(0, 1)),
    ),
    'no array': await thrown(() => loss([1, 2, 3] as unknown as jax.Array, y(0))),
    'on the CPU': await thrown(async () => loss(await jax.devicePut(x(), 'cpu'), y(0, 1))),
    'no rows': await thrown(() => loss(np.zeros([0, 3]), np.zeros([0], { dtype: np.int32 }))),
    'unknown option': await thrown(() => sparseCrossEntropy(jax, { axis: 0 } as never)),
    'bad option': await thrown(async () =>
      (await sparseCrossEntropy(jax, { temperature: -1 }))(x(), y(0, 1)),
    ),
    'bad weight': await thrown(async () =>
      (await sparseCrossEntropy(jax, { weight: new Float32Array(4) }))(x(), y(0, 1)),
    ),
    'no namespace': await thrown(() => sparseCrossEntropy({} as typeof jax)),
    'a tracer': await thrown(() =>
      jax.grad((h: jax.Array) => {
        promise = thrown(() => loss(h, y(0, 1)));
        return h.sum();
      })(x()),
    ),
  };
  found['a tracer'] = await promise!;
  const [outside] = await loss(x(), y(0, 3));
  found['label out of range'] = await thrown(() => loss.read());
  found['its loss'] = { name: String((await outside.data())[0]), message: '' };
  await loss(x(), y(0, 2));
  found['the next one'] = await thrown(() => loss.read());
  loss.dispose();
  found['disposed'] = await thrown(() => loss(x(), y(0, 2)));
  return found;
}

let promise: Promise<ThrownError> | undefined;

/** What a version of jax-js gets in which writing to a buffer does not change the array. */
async function immutable(): Promise<ThrownError> {
  const numpy = {
    zeros(shape: number[], options: { device: 'webgpu' }) {
      const array = np.zeros(shape, options);
      const data = array.data.bind(array);
      array.data = async () => (await data()).fill(0);
      return array;
    },
  };
  return thrown(() => sparseCrossEntropy({ getWebGPUDevice: jax.getWebGPUDevice, numpy }));
}

const page = { open, values, train, errors, immutable };

export type JaxPage = typeof page;

declare global {
  interface Window {
    jaxPage: JaxPage;
  }
}
window.jaxPage = page;
