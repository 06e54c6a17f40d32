import { fallingRate } from '../common/adam.js';
import { drawBatch } from './batch.js';
import type { LanguageModel } from './model.js';

/** Where the training is. */
export interface Progress {
  /** Updates so far. */
  readonly step: number;
  /** Cross-entropy of the latest batches, each before its update: a running mean, nats a token. */
  readonly crossEntropy: number;
}

export interface TrainOptions {
  /** Token ids of the text to learn from. */
  readonly ids: Int32Array;
  readonly steps: number;
  /** The highest learning rate; it falls to 0. */
  readonly rate: number;
  /** What batches are drawn with. */
  readonly random: () => number;
  /** Called each time the loss has been read. */
  readonly onProgress?: (progress: Progress) => void;
}

/** How often the loss is read, in steps: each reading makes the host wait for the device. */
const STEPS_PER_READ = 5;

export interface Trained {
  readonly history: readonly Progress[];
  /** Milliseconds a step, one value for each stretch between two readings of the loss. */
  readonly stepTimes: readonly number[];
}

/** Trains in a fixed number of steps, each on a batch of places of the text drawn at random. Only the loss comes back from the device. */
export async function train(
  model: LanguageModel,
  { ids, steps, rate, random, onProgress }: TrainOptions,
): Promise<Trained> {
  const history: Progress[] = [];
  const stepTimes: number[] = [];
  const smooth = runningMean();
  for (let done = 0; done < steps; ) {
    const stretch = done === 0 ? 1 : Math.min(STEPS_PER_READ, steps - done);
    const start = performance.now();
    for (let i = 1; i <= stretch; i++) {
      await model.step(drawBatch(ids, model.sizes.rows, random), fallingRate(rate, done + i, steps));
    }
    done += stretch;
    const progress = { step: done, crossEntropy: smooth(await model.readLoss()) };
    stepTimes.push((performance.now() - start) / stretch);
    history.push(progress);
    onProgress?.(progress);
  }
  return { history, stepTimes };
}

/** The share that the mean keeps of what it was. */
const MEMORY = 0.8;

/** A mean that forgets: batches differ more from each other than a step changes. */
export function runningMean(): (value: number) => number {
  let [sum, weight] = [0, 0];
  return (value) => {
    sum = MEMORY * sum + value;
    weight = MEMORY * weight + 1;
    return sum / weight;
  };
}
