// jax-js. Everything is jitted. The gradient of a gather does not compile there, and nn.oneHot() needs a buffer of the square of
// the classes, so the loss that is differentiated picks its targets by comparison.
import {
  blockUntilReady,
  defaultDevice,
  getWebGPUDevice,
  init,
  jit,
  nn,
  numpy as np,
  valueAndGrad,
} from '@jax-js/jax';
import type { Case, Contender, Prepared } from '../../measure/contender.js';
import { formsContender, inputShape, type PeerInputs, type PeerOp } from './forms.js';

type Input = keyof PeerInputs;

/** A function of some inputs, which it takes over as everything in jax-js does, and the names of what it returns. */
interface Form {
  readonly takes: readonly Input[];
  readonly returns: readonly string[];
  readonly run: (...given: Arrays) => np.Array[];
}

/** As many as a form takes. */
// biome-ignore lint/suspicious/noExplicitAny: jax-js has functions of any number of arrays as such
type Arrays = any[];

const OF_LOGITS = ['logits', 'targets'] as const;
const OF_LAYER = ['hidden', 'weight', 'targets'] as const;

/** A function of the logits alone. */
const rowwise = (run: (logits: np.Array) => np.Array): Form => ({
  takes: ['logits'],
  returns: ['output'],
  run: (logits: np.Array) => [run(logits)],
});

const FORMS: { readonly [O in PeerOp]: Form } = {
  softmax: rowwise((logits) => nn.softmax(logits, -1)),
  logSoftmax: rowwise((logits) => nn.logSoftmax(logits, -1)),
  logSumExp: rowwise((logits) => nn.logsumexp(logits, -1)),
  crossEntropy: {
    takes: OF_LOGITS,
    returns: ['loss'],
    run: (logits: np.Array, targets: np.Array) => [
      np.mean(nn.logsumexp(logits.ref, -1).sub(targetLogits(logits, targets))),
    ],
  },
  crossEntropyGrad: {
    takes: OF_LOGITS,
    returns: ['loss', 'grad'],
    run: (logits: np.Array, targets: np.Array) => valueAndGrad(comparedLoss)(logits, targets),
  },
  matMul: {
    takes: ['hidden', 'weight'],
    returns: ['logits'],
    run: (hidden: np.Array, weight: np.Array) => [linear(hidden, weight)],
  },
  linearCrossEntropyGrad: {
    takes: OF_LAYER,
    returns: ['loss', 'gradHidden', 'gradWeight'],
    run(hidden: np.Array, weight: np.Array, targets: np.Array) {
      const loss = (h: np.Array, w: np.Array, t: np.Array): np.Array => comparedLoss(linear(h, w), t);
      const [value, grads] = valueAndGrad(loss, { argnums: [0, 1] })(hidden, weight, targets);
      return [value, ...grads];
    },
  },
};

/** hidden · weightᵀ */
function linear(hidden: np.Array, weight: np.Array): np.Array {
  return np.matmul(hidden, np.matrixTranspose(weight));
}

/** (exp(x − lse) − one-hot) / rows: lse is there for the loss anyway. */
const FORMULA: Form = {
  takes: OF_LOGITS,
  returns: ['loss', 'grad'],
  run(logits: np.Array, targets: np.Array) {
    const rows = logits.shape[0] as number;
    const lse = nn.logsumexp(logits.ref, -1, { keepdims: true });
    const loss = np.mean(np.squeeze(lse.ref, 1).sub(targetLogits(logits.ref, targets.ref)));
    const hot = isTarget(logits.ref, targets).astype(np.float32);
    return [loss, np.exp(logits.sub(lse)).sub(hot).div(rows)];
  },
};

function targetLogits(logits: np.Array, targets: np.Array): np.Array {
  return np.squeeze(np.takeAlongAxis(logits, np.expandDims(targets, 1), 1), 1);
}

/** For each logit, whether it is that of its row's target. */
function isTarget(logits: np.Array, targets: np.Array): np.Array {
  const classes = logits.shape[1] as number;
  logits.dispose();
  return np.equal(np.arange(classes).reshape([1, classes]), np.expandDims(targets, 1));
}

function comparedLoss(logits: np.Array, targets: np.Array): np.Array {
  const atTarget = np.where(isTarget(logits.ref, targets), logits.ref, 0);
  return np.mean(nn.logsumexp(logits, -1).sub(atTarget.sum(-1)));
}

export async function openJax(): Promise<readonly Contender[]> {
  if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js finds no WebGPU');
  defaultDevice('webgpu');
  return [
    formsContender('jax-js', FORMS, prepare),
    formsContender('jax-js-formula', { crossEntropyGrad: FORMULA }, prepare),
  ];
}

async function prepare({ takes, returns, run }: Form, of: Case, given: PeerInputs): Promise<Prepared> {
  const inputs = takes.map((name) => arrayOf(name, of, given));
  await blockUntilReady(inputs);
  const jitted = jit(run);
  const call = (): np.Array[] => jitted(...inputs.map((array) => array.ref));
  const first = call();
  await blockUntilReady(first);
  for (const array of first) array.dispose();
  return {
    submit(times) {
      for (let k = 0; k < times; k++) {
        // Nothing is submitted before somebody asks for the buffer, which gives the array up.
        for (const array of call()) array.gpuBufferSync();
      }
    },
    async done() {
      await getWebGPUDevice().queue.onSubmittedWorkDone();
    },
    async results() {
      const read = call().map(async (array, k) => [returns[k] as string, await array.data()] as const);
      return Object.fromEntries(await Promise.all(read));
    },
    destroy() {
      jitted.dispose();
      for (const array of inputs) array.dispose();
    },
  };
}

function arrayOf(name: Input, of: Case, given: PeerInputs): np.Array {
  const values = given[name];
  if (values === undefined) throw new Error(`${of.op} has no ${name}`);
  const dtype = name === 'targets' ? np.int32 : np.float32;
  return np.array(values, { dtype }).reshape([...inputShape(name, of)]);
}
