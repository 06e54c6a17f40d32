import { GOAL } from '../../examples/bigram/report.js';
import { count, digits } from '../format.js';
import type { Reading } from './messages.js';

/** What is worth being told of a training, each once: who listens is not to hear every step. */
const MILESTONES: readonly { readonly below: (initial: number) => number; readonly said: string }[] = [
  { below: (initial) => initial / 2, said: 'half of what there is to learn is learned' },
  { below: (initial) => initial / 10, said: 'nine tenths are learned' },
  { below: () => GOAL, said: `the model is within ${GOAL} nats of the best there is, counting` },
];

/**
 * Follows a training: gives a sentence for the reading that passes a milestone, the farthest one of those that it passes.
 *
 * @param initial the divergence of the untrained model, nats
 */
export function milestones(initial: number): (reading: Reading) => string | undefined {
  let next = 0;
  return ({ step, divergence }) => {
    let passed: string | undefined;
    for (; next < MILESTONES.length; next++) {
      const milestone = MILESTONES[next] as (typeof MILESTONES)[number];
      if (!(divergence <= milestone.below(initial))) break;
      passed = milestone.said;
    }
    return passed && `Step ${count(step)}: ${passed}. The divergence is ${digits(divergence)} nats.`;
  };
}
