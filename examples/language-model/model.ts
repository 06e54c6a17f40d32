import { type Context, type LinearCrossEntropyBindings, planLinearCrossEntropy } from 'webgpu-loss';
import { type AdamSettings, type AdamStep, adamStep } from '../common/adam.js';
import { seededRandom } from '../common/random.js';
import { type Batch, batchAt, CONTEXT, spreadPlaces } from './batch.js';
import { machineOnCpu } from './cpuMachine.js';
import { machineOnGpu } from './gpuMachine.js';
import { type Memory, memoryOf } from './memory.js';

/**
 * A log-bilinear language model (Mnih and Hinton, 2007, https://doi.org/10.1145/1273496.1273577; in the form with a vector for each
 * position of Mnih and Kavukcuoglu, 2013): the embeddings of the last few tokens, each scaled by its position's vector, add up to the hidden
 * state h, and the head makes of it the logits W h + b of all tokens. The head is nearly all of the model, and its cross-entropy with both
 * gradients one plan, which never holds the logits.
 */
export interface Parameters {
  /** One row for each token of a context; shape [classes, features]. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** How each feature of the tokens 1, 2, … before counts; shape [CONTEXT, features]. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** W, of the head; shape [classes, features]. */
  readonly weight: Float32Array<ArrayBuffer>;
  /** b, of the head; shape [classes]. */
  readonly bias: Float32Array<ArrayBuffer>;
}

export interface Sizes {
  /** Size of the vocabulary. */
  readonly classes: number;
  readonly features: number;
  /** Of a batch. */
  readonly rows: number;
}

/** More the kernels' memory has no room for. */
export const MOST_FEATURES = 1024;

/** For all but the embeddings, which have Adagrad: most of them are in no context of a batch, and are left alone. */
export const ADAM: AdamSettings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };

/** Rates for each 1 of that of weight and positions. Most biases have far to go: to the frequency of a token that never occurs. */
export const BIAS_RATE = 5;
export const EMBEDDING_RATE = 20;

/** One step of the optimizers. */
export interface Step {
  /** Of weight and positions, and of the bias. */
  readonly adam: AdamStep;
  readonly biasAdam: AdamStep;
  /** Of Adagrad. */
  readonly embeddingRate: number;
}

/** Where the model is computed: the trunk, the optimizers, and what the head's plan reads and writes. */
export interface Machine {
  readonly bindings: Required<
    Pick<LinearCrossEntropyBindings, 'hidden' | 'weight' | 'bias' | 'targets' | 'loss'>
  >;
  readonly gradients: Required<Pick<LinearCrossEntropyBindings, 'gradHidden' | 'gradWeight' | 'gradBias'>>;
  /** Hidden states of the batch, then what `head` does; then with a step, the gradients of the trunk and the updates. */
  run(batch: Batch, head: (encoder?: GPUCommandEncoder) => void, step?: Step): Promise<void>;
  /** The loss as `head` last left it. */
  readLoss(): Promise<number>;
  /** Logits of the token after a context, the nearest token first; shape [classes]. */
  logitsAfter(context: Int32Array<ArrayBuffer>): Promise<Float32Array>;
  read(): Promise<Parameters>;
}

/** Keeps what is to be destroyed with the model. */
export type Own = <T extends { destroy(): void }>(each: T) => T;

/** A model in training. On WebGPU all of it stays on the device. */
export interface LanguageModel {
  readonly sizes: Sizes;
  readonly memory: Memory;
  /** Loss and gradients of a batch, then one update. */
  step(batch: Batch, rate: number): Promise<void>;
  /** Mean cross-entropy of the last step's batch before its update, nats a token. */
  readLoss(): Promise<number>;
  /** Mean cross-entropy at so many places of a text, evenly spread over it, nats a token. */
  evaluate(ids: Int32Array, places: number): Promise<number>;
  /** Logits of the token after these, of which the last `CONTEXT` count; shape [classes]. */
  logitsAfter(ids: readonly number[]): Promise<Float32Array>;
  /** A copy of the present parameters. */
  read(): Promise<Parameters>;
  /** Frees all memory on the device. */
  destroy(): void;
}

/** A head of zeros, for which every token is equally likely; embeddings at random; a nearer token counts more. */
export function untrained({ classes, features }: Sizes, seed = 1851): Parameters {
  const random = seededRandom(seed);
  const uniform = (spread: number) => spread * (2 * random() - 1);
  return {
    embeddings: Float32Array.from({ length: classes * features }, () => uniform(0.5)),
    positions: Float32Array.from(
      { length: CONTEXT * features },
      (_, i) => 1 / (1 + Math.floor(i / features)),
    ),
    weight: new Float32Array(classes * features),
    bias: new Float32Array(classes),
  };
}

/**
 * @param start where to begin; by default `untrained`
 * @throws Error, or what `planLinearCrossEntropy` throws, when the device cannot hold the model
 */
export async function openModel(
  context: Context,
  sizes: Sizes,
  start: Parameters = untrained(sizes),
): Promise<LanguageModel> {
  const { classes, features, rows } = sizes;
  // What has been made so far goes when something later fails: the caller's context lives on.
  const owned: { destroy(): void }[] = [];
  const own: Own = (each) => {
    owned.push(each);
    return each;
  };
  const destroy = () => {
    for (const each of owned.splice(0).reverse()) each.destroy();
  };
  try {
    const shape = { shape: [rows, features], classes, bias: true };
    const machine = await (context.device === undefined
      ? machineOnCpu(context, sizes, start, own)
      : machineOnGpu(context, context.device, sizes, start, own));
    const plan = own(await planLinearCrossEntropy(context, { ...shape, grad: true }));
    const bindings = { ...machine.bindings, ...machine.gradients };
    let steps = 0;
    return {
      sizes,
      memory: { ...memoryOf(sizes), scratch: plan.scratchBytes },
      step: (batch, rate) =>
        machine.run(batch, (encoder) => plan.encode(encoder, bindings), {
          adam: adamStep(ADAM, ++steps, rate),
          biasAdam: adamStep(ADAM, steps, BIAS_RATE * rate),
          embeddingRate: EMBEDDING_RATE * rate,
        }),
      readLoss: machine.readLoss,
      async evaluate(ids, wanted) {
        const places = spreadPlaces(ids, wanted);
        const sums = await planLinearCrossEntropy(context, { ...shape, reduction: 'sum' });
        try {
          let nats = 0;
          for (let i = 0; i < places.length; i += rows) {
            const batch = batchAt(ids, places.slice(i, i + rows), rows);
            await machine.run(batch, (encoder) => sums.encode(encoder, machine.bindings));
            nats += await machine.readLoss();
          }
          return nats / places.length;
        } finally {
          sums.destroy();
        }
      },
      logitsAfter: (ids) => machine.logitsAfter(Int32Array.from(ids.slice(-CONTEXT).reverse())),
      read: machine.read,
      destroy,
    };
  } catch (error) {
    destroy();
    throw error;
  }
}
