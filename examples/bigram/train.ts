import type { Context } from 'webgpu-loss';
import { fallingRate } from '../common/adam.js';
import { ADAM } from './adamSettings.js';
import { type Bigrams, weighByFrequency } from './theory.js';
import { openTrainer } from './trainer.js';

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
 * Fits the logits of a bigram model by maximum likelihood, in a fixed number of steps with a rate that falls to 0.
 *
 * Only the V losses come back from the device, every few steps; the matrices do at the end.
 */
export async function train(
  context: Context,
  { bigrams, steps, onProgress }: TrainOptions,
): Promise<Trained> {
  const trainer = await openTrainer(context, bigrams);
  try {
    const history: Progress[] = [];
    const stepTimes: number[] = [];
    const record = async (step: number): Promise<Float32Array> => {
      const losses = await trainer.readLosses();
      const progress = { step, crossEntropy: weighByFrequency(bigrams, losses) };
      history.push(progress);
      onProgress?.(progress);
      return losses;
    };

    for (let done = 0; done < steps; ) {
      const stretch = Math.min(STEPS_PER_READ, steps - done);
      const start = performance.now();
      for (let i = 1; i <= stretch; i++) await trainer.step(fallingRate(ADAM.rate, done + i, steps));
      done += stretch;
      // The losses are those that the last gradient came from: of the logits before their last update.
      await record(done - 1);
      stepTimes.push((performance.now() - start) / stretch);
    }
    await trainer.evaluate();
    const losses = await record(steps);
    const [logits, gradient] = await Promise.all([trainer.readLogits(), trainer.readGradient()]);
    const { targets, rowWeights } = trainer;
    return { logits, losses, gradient, targets, rowWeights, history, stepTimes };
  } finally {
    trainer.destroy();
  }
}
