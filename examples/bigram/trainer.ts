import { type Context, planCrossEntropy, type Tensor } from 'webgpu-loss';
import { type AdamStep, adamStep, CpuAdam, GpuAdam } from '../common/adam.js';
import { guarded, USAGE } from '../common/device.js';
import { ADAM } from './adamSettings.js';
import { type Bigrams, countingSolution } from './theory.js';

/**
 * A bigram model in training, one step at a time. On WebGPU its matrices stay on the device, and come back only where they are read.
 *
 * The loss of row a is the cross-entropy of softmax(logits of a) with the observed distribution q(. | a). Its weight is
 * c(a), the number of times a occurs, handed to the plan as the upstream gradient of each row: the gradient is then that
 * of sum_a c(a) loss(a), the negative log-likelihood of the text, N times the frequency-weighted mean cross-entropy.
 * A row that nothing follows has weight 0 and so gradient 0.
 */
export interface Trainer {
  /** What the gradient is computed from: q(b | a), shape [V, V], and the weight c(a) of each row, shape [V]. */
  readonly targets: Float32Array;
  readonly rowWeights: Float32Array;
  /** Loss and gradient of the present logits. */
  evaluate(): Promise<void>;
  /** The same, then one update of the logits by Adam. */
  step(rate: number): Promise<void>;
  /** Cross-entropy of each row, nats, as last computed: after `step`, of the logits before their update; shape [V]. */
  readLosses(): Promise<Float32Array>;
  /** A copy of the present logits; shape [V, V]. */
  readLogits(): Promise<Float32Array<ArrayBuffer>>;
  /** The gradient as last computed, like the losses; shape [V, V]. */
  readGradient(): Promise<Float32Array>;
  /** Frees all memory on the device. */
  destroy(): void;
}

/**
 * @param logits where to start, shape [V, V]; by default at zeros: every token equally likely
 * @throws Error when the device cannot hold the five matrices (logits, gradient, targets, Adam's averages) of V x V numbers
 */
export async function openTrainer(
  context: Context,
  bigrams: Bigrams,
  logits?: Float32Array<ArrayBuffer>,
): Promise<Trainer> {
  const { size } = bigrams;
  // What has been made so far goes when something later fails: the caller's context lives on.
  const owned: { destroy(): void }[] = [];
  const own = <T extends { destroy(): void }>(each: T): T => {
    owned.push(each);
    return each;
  };
  const destroy = () => {
    for (const each of owned.splice(0).reverse()) each.destroy();
  };
  try {
    const targets = countingSolution(bigrams);
    const rowWeights = Float32Array.from(bigrams.rowCounts);
    const plan = own(
      await planCrossEntropy(context, {
        shape: [size, size],
        dtype: 'f32',
        targets: 'probs',
        reduction: 'none',
        grad: true,
        gradOutput: 'rows',
      }),
    );
    const loss = own(context.tensor(new Float32Array(size), [size]));
    const inputs = {
      targets: own(context.tensor(targets, [size, size])),
      gradOutput: own(context.tensor(rowWeights, [size])),
    };
    const start = logits ?? new Float32Array(size * size);
    const model = await (context.device === undefined
      ? modelOnCpu(context, size, start, own)
      : modelOnGpu(context, context.device, size, start, own));
    const bindings = { ...inputs, loss, logits: model.logits, grad: model.gradient };
    const evaluate = (encoder?: GPUCommandEncoder) => plan.encode(encoder, bindings);
    let steps = 0;
    return {
      targets,
      rowWeights,
      evaluate: () => model.run(evaluate),
      step: (rate) => model.run(evaluate, adamStep(ADAM, ++steps, rate)),
      readLosses: async () => (await loss.read()) as Float32Array,
      readLogits: async () => (await model.logits.read()) as Float32Array<ArrayBuffer>,
      readGradient: async () => (await model.gradient.read()) as Float32Array,
      destroy,
    };
  } catch (error) {
    destroy();
    throw error;
  }
}

/** Logits and gradient where they are computed, each of shape [V, V]. */
interface Model {
  readonly logits: Tensor;
  readonly gradient: Tensor;
  /** Does `evaluate`, which computes the gradient; then with `step` the update. */
  run(evaluate: (encoder?: GPUCommandEncoder) => void, step?: AdamStep): Promise<void>;
}

type Own = <T extends { destroy(): void }>(each: T) => T;

async function modelOnCpu(
  context: Context,
  size: number,
  start: Float32Array<ArrayBuffer>,
  own: Own,
): Promise<Model> {
  const values = start.slice();
  const logits = own(context.tensor(values, [size, size]));
  const gradient = own(context.tensor(new Float32Array(size * size), [size, size]));
  const adam = new CpuAdam(values.length);
  return {
    logits,
    gradient,
    run: async (evaluate, step) => {
      evaluate();
      if (step === undefined) return;
      adam.apply(step, values, (await gradient.read()) as Float32Array);
      logits.write(values);
    },
  };
}

async function modelOnGpu(
  context: Context,
  device: GPUDevice,
  size: number,
  start: Float32Array<ArrayBuffer>,
  own: Own,
): Promise<Model> {
  // Buffers of our own, so that our own kernel can bind them. What lies past the last logit stays 0.
  const bytes = Math.ceil((size * size) / 4) * 16;
  const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
  const [logits, gradient] = await guarded(device, 'allocating the matrices', () => {
    const buffers = ['bigram: logits', 'bigram: gradient'].map((label) =>
      own(device.createBuffer({ label, size: bytes, usage })),
    );
    device.queue.writeBuffer(buffers[0]!, 0, start);
    return buffers;
  });
  const adam = own(await GpuAdam.create(device, logits!, gradient!));
  return {
    logits: own(context.fromBuffer(logits!, [size, size], { dtype: 'f32' })),
    gradient: own(context.fromBuffer(gradient!, [size, size], { dtype: 'f32' })),
    run: (evaluate, step) =>
      guarded(device, 'a training step', () => {
        const encoder = device.createCommandEncoder({ label: 'bigram: step' });
        evaluate(encoder);
        if (step) adam.encode(encoder, step);
        device.queue.submit([encoder.finish()]);
      }),
  };
}
