// The scores of logits that lie in tensors of ONNX Runtime.
import type { Context } from '../context.js';
import type { TensorData } from '../dtype.js';
import { invalid, TargetOutOfRangeError } from '../errors.js';
import { logitStats } from '../ops/logitStats.js';
import type { Policy } from '../plan/policy.js';
import { elementCount, formatShape, sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';

/** What is used of an `ort.Tensor`. */
export interface OrtTensor {
  /** Sizes of the dimensions. */
  readonly dims: readonly number[];
  /** `'float32'`, `'float16'`, `'int64'`, … */
  readonly type: string;
  /** Where it lies: `'gpu-buffer'`, `'cpu'`, … */
  readonly location: string;
  /** Its `GPUBuffer`; throws where it has none. */
  readonly gpuBuffer: unknown;
  /** Its elements; throws where they are not on the CPU. */
  readonly data: unknown;
}

/** Options of `createScorer`. */
export interface ScorerOptions {
  /**
   * False (default): the logits at a position are scored against the target at that position. True: against the target at the next one,
   * as a language model's logits are against its own input ids; the last position of each sequence has no target then.
   */
  readonly nextToken?: boolean;
  /** Targets equal to it do not count, such as padding. Default -100. */
  readonly ignoreIndex?: number;
  /** How many of the largest logits to list for each token, and what counts as a hit for `topKAccuracy`. Default none. */
  readonly topK?: number;
  /**
   * What to do with logits that are on the CPU. `'refuse'` (default): an error that says how to keep them on the GPU. `'upload'`: copy them
   * to the device, all of them.
   */
  readonly cpuLogits?: 'refuse' | 'upload';
  /** Overrides of the tuning policy; see `Policy`. */
  readonly policy?: Partial<Policy>;
}

/** Sums over tokens, as means. NaN where no token counts. */
export interface Score {
  /** Tokens that count: those that have a target which is not `ignoreIndex`. */
  readonly tokens: number;
  /** Mean of −log p(target), in nats: the cross-entropy. */
  readonly loss: number;
  /** exp(loss). */
  readonly perplexity: number;
  /** Mean entropy of the model's distributions at these tokens, in nats. */
  readonly entropy: number;
  /** Share of tokens whose target has the largest logit. */
  readonly accuracy: number;
  /** With `topK`: share of tokens whose target is among the `topK` largest logits. */
  readonly topKAccuracy?: number;
}

/** One value for each position, in the order of the logits without their last axis. */
export interface TokenStats {
  /** log p(target), in nats; NaN where there is no target or it is ignored. */
  readonly targetLogProb: Float32Array;
  /** Number of classes that come before the target, 0 if it is the argmax; -1 where there is no target or it is ignored. */
  readonly targetRank: Int32Array;
  /** Of softmax(logits), in nats. */
  readonly entropy: Float32Array;
  /** The first class that has the largest logit; -1 if there is a NaN. */
  readonly argmax: Int32Array;
  /** With `topK`: that many for each position, largest first. */
  readonly topK?: {
    /** The logits, `topK` for each position. */
    readonly logits: Float32Array;
    /** Their classes. */
    readonly classes: Int32Array;
  };
}

/** The score of one batch, and of each of its tokens. */
export interface BatchScore extends Score {
  /** Of each token. */
  readonly positions: TokenStats;
}

/** Class indices, one for each row of logits: arrays, or a tensor on the CPU, of int32 or int64. */
export type ScorerTargets = Int32Array | BigInt64Array | readonly number[] | OrtTensor;

/** What errors of a scorer name as their operation. */
export const OP = 'scorer';

/** Running sums, in float64. */
interface Sums {
  tokens: number;
  nats: number;
  entropy: number;
  hits: number;
  topHits: number;
}

/** Scores batches of logits and adds them up; made by `createScorer`. Between calls it holds nothing on the device. */
export class Scorer {
  readonly #context: Context;
  readonly #options: ScorerOptions;
  #sums: Sums = noSums();

  /** @internal Use `createScorer`. */
  constructor(context: Context, options: ScorerOptions) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * Scores the logits of one batch, and adds them to `total`. Do not `dispose()` of the logits before the promise resolves.
   *
   * @param logits float32 or float16, [..., classes]: a session's output with `preferredOutputLocation: 'gpu-buffer'`. With `nextToken`,
   *   the last axis but one is that of the tokens.
   * @param targets class indices, in the shape of the logits without the last axis; only a tensor's shape is compared
   * @throws InvalidArgumentError for arguments that do not fit, TargetOutOfRangeError for a target that is neither a class nor
   *   `ignoreIndex`, both before anything is submitted; and what goes wrong on the device. Then nothing is added.
   */
  async add(logits: OrtTensor, targets: ScorerTargets): Promise<BatchScore> {
    const shape = checkLogits(logits);
    const rows = shape.slice(0, -1);
    const { policy, topK } = this.#options;
    const { indices, kept } = scoredTargets(indicesOf(targets, rows), shape, this.#options);
    const input = this.#input(logits, shape);
    const made: Tensor[] = [input];
    try {
      const given = this.#context.tensor(indices, rows);
      made.push(given);
      const stats = await logitStats(input, given, {
        ...(topK === undefined ? {} : { topK }),
        ...(policy && { policy }),
      });
      const { logSumExp, entropy, argmax, targetLogProb, targetRank, topK: top } = stats;
      const results = [targetLogProb, targetRank, entropy, argmax, top?.values, top?.indices].filter(
        (tensor) => tensor !== undefined,
      );
      made.push(logSumExp, ...results);
      const [logProbs, ranks, entropies, best, values, listed] = await Promise.all(
        results.map((tensor) => tensor.read()),
      );
      const positions: TokenStats = {
        targetLogProb: (logProbs as Float32Array).map((value, row) => (kept[row] ? value : Number.NaN)),
        targetRank: (ranks as Int32Array).map((value, row) => (kept[row] ? value : -1)),
        entropy: entropies as Float32Array,
        argmax: best as Int32Array,
        ...(topK !== undefined && {
          topK: { logits: values as Float32Array, classes: listed as Int32Array },
        }),
      };
      const sums = sumsOf(positions, kept, topK);
      add(this.#sums, sums);
      return { ...scoreOf(sums, topK), positions };
    } finally {
      for (const tensor of made) tensor.destroy();
    }
  }

  /** The score of all that was added since the beginning, or since `reset()`. Each token weighs the same, whatever batch it was in. */
  get total(): Score {
    return scoreOf(this.#sums, this.#options.topK);
  }

  /** Begins anew. */
  reset(): void {
    this.#sums = noSums();
  }

  #input(logits: OrtTensor, shape: readonly number[]): Tensor {
    const dtype = logits.type === 'float16' ? 'f16' : 'f32';
    if (logits.location === 'gpu-buffer') {
      return this.#context.fromBuffer(logits.gpuBuffer as GPUBuffer, shape, { dtype });
    }
    if (this.#options.cpuLogits === 'upload' && logits.location.startsWith('cpu')) {
      return this.#context.tensor(logits.data as TensorData, shape, dtype);
    }
    return invalid(
      OP,
      `the logits are in '${logits.location}'; create the session with preferredOutputLocation: 'gpu-buffer' (or an object that has ` +
        "the name of that output), or make the scorer with cpuLogits: 'upload', which copies them to the GPU.",
    );
  }
}

function checkLogits(logits: OrtTensor): readonly number[] {
  if (!Array.isArray(logits?.dims) || typeof logits.location !== 'string') {
    invalid(OP, 'logits must be an ort.Tensor: one output of session.run().');
  }
  const { dims, type } = logits;
  if (type !== 'float32' && type !== 'float16') {
    invalid(OP, `logits are ${type}; float32 or float16 is needed.`);
  }
  if (dims.length < 2 || elementCount(dims) === 0) {
    invalid(OP, `logits have shape ${formatShape(dims)}; [..., classes] with at least one row is needed.`);
  }
  return [...dims];
}

/** The targets as an array of their own; throws where they are not one for each row. */
function indicesOf(targets: ScorerTargets, rows: readonly number[]): Int32Array {
  let data: unknown = targets;
  if (isTensor(targets)) {
    const { dims, type, location } = targets;
    if (!sameShape(dims, rows)) {
      invalid(OP, `targets have shape ${formatShape(dims)} where ${formatShape(rows)} is needed.`);
    }
    if (!location.startsWith('cpu')) {
      invalid(
        OP,
        `targets are in '${location}'; give them as an array, or as a tensor on the CPU: they are small.`,
      );
    }
    if (type !== 'int32' && type !== 'int64') invalid(OP, `targets are ${type}; int32 or int64 is needed.`);
    data = targets.data;
  }
  if (!(data instanceof Int32Array || data instanceof BigInt64Array || Array.isArray(data))) {
    invalid(OP, 'targets must be an Int32Array, a BigInt64Array, an array of numbers, or an ort.Tensor.');
  }
  const count = elementCount(rows);
  if (data.length !== count) {
    invalid(OP, `targets have ${data.length} elements where shape ${formatShape(rows)} needs ${count}.`);
  }
  return Int32Array.from(data as ArrayLike<number | bigint>, (value, row) => {
    const index = Number(value);
    if (index !== (index | 0)) invalid(OP, `the target of row ${row} is ${value}; use whole numbers.`);
    return index;
  });
}

function isTensor(targets: ScorerTargets): targets is OrtTensor {
  return typeof targets === 'object' && targets !== null && 'dims' in targets;
}

/** What each row is scored against, and whether it counts; where it does not, any class will do. */
function scoredTargets(
  given: Int32Array,
  shape: readonly number[],
  { nextToken = false, ignoreIndex = -100 }: ScorerOptions,
): { readonly indices: Int32Array; readonly kept: readonly boolean[] } {
  const classes = shape.at(-1) as number;
  const tokens = shape.at(-2) as number;
  const indices = new Int32Array(given.length);
  const kept = Array.from(given, (_, at) => {
    const row = nextToken ? at + 1 : at;
    if (nextToken && row % tokens === 0) return false;
    const value = given[row] as number;
    if (value === ignoreIndex) return false;
    if (!(value >= 0 && value < classes)) {
      throw new TargetOutOfRangeError({ row, value, classes, ignorable: false }, { op: OP });
    }
    indices[at] = value;
    return true;
  });
  return { indices, kept };
}

function noSums(): Sums {
  return { tokens: 0, nats: 0, entropy: 0, hits: 0, topHits: 0 };
}

function sumsOf(
  { targetLogProb, targetRank, entropy }: TokenStats,
  kept: readonly boolean[],
  topK = 0,
): Sums {
  const sums = noSums();
  kept.forEach((counts, row) => {
    if (!counts) return;
    const rank = targetRank[row] as number;
    sums.tokens += 1;
    sums.nats -= targetLogProb[row] as number;
    sums.entropy += entropy[row] as number;
    if (rank === 0) sums.hits += 1;
    if (rank >= 0 && rank < topK) sums.topHits += 1;
  });
  return sums;
}

function add(to: Sums, more: Sums): void {
  to.tokens += more.tokens;
  to.nats += more.nats;
  to.entropy += more.entropy;
  to.hits += more.hits;
  to.topHits += more.topHits;
}

function scoreOf({ tokens, nats, entropy, hits, topHits }: Sums, topK: number | undefined): Score {
  const loss = nats / tokens;
  return {
    tokens,
    loss,
    perplexity: Math.exp(loss),
    entropy: entropy / tokens,
    accuracy: hits / tokens,
    ...(topK !== undefined && { topKAccuracy: topHits / tokens }),
  };
}
