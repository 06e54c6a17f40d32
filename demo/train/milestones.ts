// What is worth being told of a training once: who listens is not to hear every step.
import { GOAL } from '../../examples/bigram/report.js';
import type { Baselines } from '../../examples/language-model/text.js';
import { runningMean } from '../../examples/language-model/train.js';
import { count, digits, fixed } from '../format.js';
import type { Reading } from './messages.js';

interface Milestone {
  readonly isPassed: (reading: Reading) => boolean;
  readonly said: string;
}

/**
 * Follows a training: gives a sentence for the reading that passes a milestone, the farthest one of those that it passes.
 *
 * @param milestones the nearest first
 * @param also what is said of the reading after that
 */
function follow(
  milestones: readonly Milestone[],
  also: (reading: Reading) => string,
): (reading: Reading) => string | undefined {
  let next = 0;
  return (reading) => {
    let passed: string | undefined;
    for (; milestones[next]?.isPassed(reading); next++) passed = milestones[next]?.said;
    return passed && `Step ${count(reading.step)}: ${passed}. ${also(reading)}`;
  };
}

/**
 * Of bigrams.
 *
 * @param initial the divergence of the untrained model, nats
 */
export function bigramMilestones(initial: number): (reading: Reading) => string | undefined {
  const below = (bound: number, said: string): Milestone => ({
    isPassed: ({ divergence = Number.NaN }) => divergence <= bound,
    said,
  });
  return follow(
    [
      below(initial / 2, 'half of what there is to learn is learned'),
      below(initial / 10, 'nine tenths are learned'),
      below(GOAL, `the model is within ${GOAL} nats of the best there is, counting`),
    ],
    (reading) => `The divergence is ${digits(reading.divergence ?? Number.NaN)} nats.`,
  );
}

/** Of the head. */
export function headMilestones({ uniform, unigram }: Baselines): (reading: Reading) => string | undefined {
  // Batches differ: the mean of the latest ones is what counts.
  const mean = runningMean();
  const passing = follow(
    [
      {
        isPassed: ({ crossEntropy }) => crossEntropy < (uniform + unigram) / 2,
        said: 'half of what the frequencies tell is learned',
      },
      {
        isPassed: ({ crossEntropy }) => crossEntropy < unigram,
        said: 'the model is better than the frequencies alone: it uses the context',
      },
    ],
    ({ crossEntropy }) => `The cross-entropy of the latest batches is ${fixed(crossEntropy)} nats.`,
  );
  return ({ step, crossEntropy }) => passing({ step, crossEntropy: mean(crossEntropy) });
}
