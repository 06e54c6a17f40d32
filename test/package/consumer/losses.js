// What every consumer of the package runs: also all that is loaded on demand, so that a file that a bundler or a server loses is missed.
import {
  binaryCrossEntropy,
  createContext,
  crossEntropy,
  entropy,
  klDivergence,
  linearCrossEntropy,
  logitStats,
  logSumExp,
  nllLoss,
  planCrossEntropy,
  softmax,
  softmaxGrad,
} from 'webgpu-loss';
import { crossEntropy as oracle } from 'webgpu-loss/cpu';

const shape = [2, 3];
const logits = [2, 0, -1, 0, 3, 1];
const indices = Int32Array.of(0, 2);
const weights = [1, -1, 0.5, 2, 0, 1]; // of a linear layer, of which the logits are the states
const probs = Float32Array.of(1, 0, 0, 0, 0.5, 0.5);

/** Losses as text, and the backend that computed them. `options` are those of `createContext`. */
export async function losses(options) {
  const ctx = await createContext(options);
  const x = ctx.tensor(Float32Array.from(logits), shape);
  const mean = await crossEntropy(x, indices, { grad: true });
  const said = {
    backend: ctx.backend,
    indices: await text(mean.loss),
    gradient: await text(mean.grad),
    probabilities: await text((await crossEntropy(x, ctx.tensor(probs, shape), { reduction: 'none' })).loss),
    halves: await text(await softmax(ctx.tensor(Float32Array.of(1, 0, -1), [1, 3], 'bf16'))),
    linear: await text(
      (await linearCrossEntropy(x, ctx.tensor(Float32Array.from(weights), shape), Int32Array.of(0, 1))).loss,
    ),
    plan: await planned(ctx, x),
    ...(await others(ctx, x)),
  };
  ctx.destroy();
  const reproducible = await createContext({ ...options, reproducible: true });
  const same = reproducible.tensor(Float32Array.from(logits), shape);
  said.reproducible = await text((await crossEntropy(same, indices, { reduction: 'none' })).loss);
  reproducible.destroy();
  return { ...said, oracle: digits(oracle(logits, indices, shape).loss) };
}

/** Of the operations that have kernels of their own, and of what few calls need. */
async function others(ctx, x) {
  const targets = ctx.tensor(probs, shape);
  const uneven = await softmax(ctx.tensor(new Float32Array(4 * 1025), [4, 1025]));
  const gpu = { requestAdapter: async () => null };
  return {
    entropy: await text((await entropy(x)).entropy),
    divergence: await text((await klDivergence(x, targets, { target: 'probs' })).divergence),
    binary: await text((await binaryCrossEntropy(x, targets)).loss),
    nll: await text((await nllLoss(x, indices)).loss),
    logSumExp: await text(await logSumExp(x)),
    softmaxGrad: await text(await softmaxGrad(x, targets)),
    targetLogProb: await text((await logitStats(x, indices)).targetLogProb),
    uneven: digits((await uneven.read({ signal: new AbortController().signal })).subarray(0, 2)),
    refusal: await createContext({ backend: 'webgpu', gpu }).catch(({ name }) => name),
  };
}

async function planned(ctx, x) {
  const plan = await planCrossEntropy(ctx, { shape, targets: 'index', reduction: 'none' });
  const loss = ctx.tensor(new Float32Array(2), [2]);
  const encoder = ctx.device?.createCommandEncoder();
  plan.encode(encoder, { logits: x, targets: ctx.tensor(indices, [2]), loss });
  if (encoder) ctx.device.queue.submit([encoder.finish()]);
  const said = await text(loss);
  plan.destroy();
  return said;
}

const text = async (tensor) => digits(await tensor.read());
const digits = (values) => Array.from(values, (value) => value.toFixed(4)).join(' ');
