import { type Context, planCrossEntropy } from 'webgpu-loss';
import { type AdamStep, adamStep, CpuAdam, GpuAdam } from './adam.js';
import { guarded, USAGE } from './device.js';
import { type Bigrams, countingSolution, weighByFrequency } from './theory.js';

/** Where the training is. */
export interface Progress {
  /** Updates of the logits so far. */
  readonly step: number;
  /** Cross-entropy of the text under the model, nats a token, from the device's own f32 losses. */
  readonly crossEntropy: number;
}

export interface TrainOptions {
  readonly bigrams: Bigrams;
  readonly steps: number;
  /** Called each time the loss has been read. */
  readonly onProgress?: (progress: Progress) => void;
}

/** The trained model, and what the device computes for it. */
export interface Trained {
  /** Shape [V, V]. */
  readonly logits: Float32Array;
  /** Cross-entropy of each row of `logits` with its targets, nats; shape [V]. */
  readonly losses: Float32Array;
  /** Gradient of the text's negative log-likelihood, sum_a c(a) loss(a), with respect to `logits`; shape [V, V]. */
  readonly gradient: Float32Array;
  /** What the gradient was computed from: q(b | a), shape [V, V], and the weight c(a) of each row, shape [V]. */
  readonly targets: Float32Array;
  readonly rowWeights: Float32Array;
  readonly history: readonly Progress[];
  /** Milliseconds a step, one value for each stretch between two readings of the loss. */
  readonly stepTimes: readonly number[];
}

/** How often the loss is read, in steps: each reading makes the host wait for the device. */
const STEPS_PER_READ = 5;

/**
 * Fits the logits of a bigram model by maximum likelihood.
 *
 * The loss of row a is the cross-entropy of softmax(logits of a) with the observed distribution q(. | a). Its weight is
 * c(a), the number of times a occurs, handed to the plan as the upstream gradient of each row: the gradient is then that
 * of sum_a c(a) loss(a), the negative log-likelihood of the text, N times the frequency-weighted mean that is reported.
 * A row that nothing follows has weight 0 and so gradient 0.
 *
 * On WebGPU the matrices stay on the device: one plan and one optimizer pass a step, and only the V losses come back.
 */
export async function train(
  context: Context,
  { bigrams, steps, onProgress }: TrainOptions,
): Promise<Trained> {
  const targets = countingSolution(bigrams);
  const rowWeights = Float32Array.from(bigrams.rowCounts);
  const loop = await openLoop(context, bigrams.size, targets, rowWeights);
  try {
    const history: Progress[] = [];
    const stepTimes: number[] = [];
    const record = async (step: number): Promise<Float32Array> => {
      const losses = await loop.readLosses();
      const progress = { step, crossEntropy: weighByFrequency(bigrams, losses) };
      history.push(progress);
      onProgress?.(progress);
      return losses;
    };

    for (let done = 0; done < steps; ) {
      const stretch = Math.min(STEPS_PER_READ, steps - done);
      const start = performance.now();
      for (let i = 1; i <= stretch; i++) await loop.step(adamStep(done + i, steps));
      done += stretch;
      // The losses are those that the last gradient came from: of the logits before their last update.
      await record(done - 1);
      stepTimes.push((performance.now() - start) / stretch);
    }
    await loop.evaluate();
    const losses = await record(steps);
    const [logits, gradient] = await loop.readMatrices();
    return { logits, losses, gradient, targets, rowWeights, history, stepTimes };
  } finally {
    loop.destroy();
  }
}

/** The device's side of the training. */
interface Loop {
  /** Loss and gradient of the present logits. */
  evaluate(): Promise<void>;
  /** The same, then one update of the logits. */
  step(step: AdamStep): Promise<void>;
  readLosses(): Promise<Float32Array>;
  /** The logits and their gradient. */
  readMatrices(): Promise<[Float32Array, Float32Array]>;
  destroy(): void;
}

async function openLoop(
  context: Context,
  size: number,
  targets: Float32Array<ArrayBuffer>,
  rowWeights: Float32Array<ArrayBuffer>,
): Promise<Loop> {
  const plan = await planCrossEntropy(context, {
    shape: [size, size],
    dtype: 'f32',
    targets: 'probs',
    reduction: 'none',
    grad: true,
    gradOutput: 'rows',
  });
  const inputs = {
    targets: context.tensor(targets, [size, size]),
    gradOutput: context.tensor(rowWeights, [size]),
    loss: context.tensor(new Float32Array(size), [size]),
  };
  const destroy = () => {
    plan.destroy();
    for (const tensor of Object.values(inputs)) tensor.destroy();
  };
  const { device } = context;

  if (device === undefined) {
    const logits = new Float32Array(size * size);
    const gradient = context.tensor(new Float32Array(size * size), [size, size]);
    const adam = new CpuAdam(logits.length);
    const evaluate = async () => {
      const tensor = context.tensor(logits, [size, size]);
      plan.encode(undefined, { ...inputs, logits: tensor, grad: gradient });
      tensor.destroy();
    };
    return {
      evaluate,
      step: async (step) => {
        await evaluate();
        adam.apply(step, logits, (await gradient.read()) as Float32Array);
      },
      readLosses: async () => (await inputs.loss.read()) as Float32Array,
      readMatrices: async () => [logits, (await gradient.read()) as Float32Array],
      destroy: () => {
        gradient.destroy();
        destroy();
      },
    };
  }

  // The example's own buffers, so that its own kernel can bind them. WebGPU fills them with zeros: every token equally likely.
  const bytes = Math.ceil((size * size) / 4) * 16;
  const usage = USAGE.storage | USAGE.copySource | USAGE.copyTarget;
  const [logitsBuffer, gradientBuffer] = await guarded(device, 'allocating the matrices', () => [
    device.createBuffer({ label: 'bigram: logits', size: bytes, usage }),
    device.createBuffer({ label: 'bigram: gradient', size: bytes, usage }),
  ]);
  const adam = await GpuAdam.create(device, logitsBuffer!, gradientBuffer!);
  const logits = context.fromBuffer(logitsBuffer!, [size, size], { dtype: 'f32' });
  const gradient = context.fromBuffer(gradientBuffer!, [size, size], { dtype: 'f32' });
  const bindings = { ...inputs, logits, grad: gradient };
  const submit = (step?: AdamStep) =>
    guarded(device, 'a training step', () => {
      const encoder = device.createCommandEncoder({ label: 'bigram: step' });
      plan.encode(encoder, bindings);
      if (step) adam.encode(encoder, step);
      device.queue.submit([encoder.finish()]);
    });
  return {
    evaluate: () => submit(),
    step: submit,
    readLosses: async () => (await inputs.loss.read()) as Float32Array,
    readMatrices: async () => [
      (await logits.read()) as Float32Array,
      (await gradient.read()) as Float32Array,
    ],
    destroy: () => {
      adam.destroy();
      logits.destroy();
      gradient.destroy();
      logitsBuffer!.destroy();
      gradientBuffer!.destroy();
      destroy();
    },
  };
}
