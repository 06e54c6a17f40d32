// What the panel shows, computed by the library. All results in nats.
import { type Context, crossEntropy, entropy, klDivergence, type Tensor } from 'webgpu-loss';

/** Hands `work` a function that keeps a tensor until the work is done, and destroys it then. */
async function withTensors<T>(work: (keep: (tensor: Tensor) => Tensor) => Promise<T>): Promise<T> {
  const kept: Tensor[] = [];
  try {
    return await work((tensor) => {
      kept.push(tensor);
      return tensor;
    });
  } finally {
    for (const tensor of kept) tensor.destroy();
  }
}

/** Logits of which the softmax is `probs`: their logarithms. A probability of 0 is the logit −Infinity. */
function logitsOf(probs: readonly number[]): Float32Array<ArrayBuffer> {
  return Float32Array.from(probs, Math.log);
}

/** H of each coin, by its probability of heads. */
export function coinEntropies(context: Context, heads: readonly number[]): Promise<Float32Array> {
  return withTensors(async (keep) => {
    const logits = logitsOf(heads.flatMap((p) => [p, 1 - p]));
    const result = await entropy(keep(context.tensor(logits, [heads.length, 2])), { reduction: 'none' });
    return (await keep(result.entropy).read()) as Float32Array;
  });
}

export interface Comparison {
  /** H(p) */
  readonly entropy: number;
  /** H(p, q); Infinity where q is 0 for what p is not. */
  readonly crossEntropy: number;
  /** D(p‖q); Infinity likewise. */
  readonly divergence: number;
}

/** What it costs to believe `q` where `p` is true: two distributions over the same outcomes. */
export function compare(context: Context, p: readonly number[], q: readonly number[]): Promise<Comparison> {
  return withTensors(async (keep) => {
    const shape = [1, p.length];
    const truth = keep(context.tensor(Float32Array.from(p), shape));
    const belief = keep(context.tensor(logitsOf(q), shape));
    const results = await Promise.all([
      entropy(keep(context.tensor(logitsOf(p), shape)), { reduction: 'mean' }),
      crossEntropy(belief, truth),
      klDivergence(belief, truth, { target: 'probs', reduction: 'mean' }),
    ]);
    const tensors = [results[0].entropy, results[1].loss, results[2].divergence].map(keep);
    const [own, cross, divergence] = await Promise.all(tensors.map((tensor) => tensor.read()));
    return {
      entropy: own?.[0] as number,
      crossEntropy: cross?.[0] as number,
      divergence: divergence?.[0] as number,
    };
  });
}

/** −log p of each outcome, an index into `probs`: the cross-entropy of each example by itself. */
export function surprises(
  context: Context,
  probs: readonly number[],
  outcomes: Int32Array<ArrayBuffer>,
): Promise<Float32Array> {
  return withTensors(async (keep) => {
    const rows = outcomes.length;
    const logits = new Float32Array(rows * probs.length);
    for (let r = 0; r < rows; r++) logits.set(logitsOf(probs), r * probs.length);
    const { loss } = await crossEntropy(keep(context.tensor(logits, [rows, probs.length])), outcomes, {
      reduction: 'none',
    });
    return (await keep(loss).read()) as Float32Array;
  });
}
