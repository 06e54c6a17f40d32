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
import { formsContender, type PeerInputs, type PeerOp } from './forms.js';

/** A function of the logits and targets, which it takes over as everything in jax-js does, and the names of what it returns. */
interface Form {
  readonly returns: readonly string[];
  readonly run: (logits: np.Array, targets: np.Array) => np.Array[];
}

/** A function of the logits alone. */
const rowwise = (run: (logits: np.Array) => np.Array): Form => ({
  returns: ['output'],
  run(logits, targets) {
    targets.dispose();
    return [run(logits)];
  },
});

const FORMS: { readonly [O in PeerOp]: Form } = {
  softmax: rowwise((logits) => nn.softmax(logits, -1)),
  logSoftmax: rowwise((logits) => nn.logSoftmax(logits, -1)),
  logSumExp: rowwise((logits) => nn.logsumexp(logits, -1)),
  crossEntropy: {
    returns: ['loss'],
    run: (logits, targets) => [np.mean(nn.logsumexp(logits.ref, -1).sub(targetLogits(logits, targets)))],
  },
  crossEntropyGrad: { returns: ['loss', 'grad'], run: (...given) => valueAndGrad(comparedLoss)(...given) },
};

/** (exp(x − lse) − one-hot) / rows: lse is there for the loss anyway. */
const FORMULA: Form = {
  returns: ['loss', 'grad'],
  run(logits, targets) {
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

async function prepare(
  { returns, run }: Form,
  { rows, classes }: Case,
  values: PeerInputs,
): Promise<Prepared> {
  const logits = np.array(values.logits).reshape([rows, classes]);
  const targets = np.array(values.targets, { dtype: np.int32 });
  await blockUntilReady([logits, targets]);
  const jitted = jit(run);
  const call = (): np.Array[] => jitted(logits.ref, targets.ref);
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
      logits.dispose();
      targets.dispose();
    },
  };
}
