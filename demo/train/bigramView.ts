// What the panel shows of the bigram model.
import { GOAL } from '../../examples/bigram/report.js';
import { element, figureList } from '../dom.js';
import { count, digits, fixed, nats } from '../format.js';
import { bigramCurves } from './bigramCurves.js';
import type { Reading, UntrainedBigrams } from './messages.js';
import { bigramMilestones } from './milestones.js';
import { STEPS_A_RUN } from './training.js';
import type { View } from './view.js';

/** The training of bigrams tells the divergence each time. */
type BigramReading = Required<Reading>;

export function bigramView(): View {
  const figures = figureList({
    step: 'step',
    crossEntropy: 'cross-entropy H(q, p)',
    floor: 'floor H(q), the text’s own',
    divergence: 'divergence D(q‖p)',
    perplexity: 'perplexity (at the floor)',
  });
  const curves = bigramCurves();
  const size = element('p');
  let model: UntrainedBigrams | undefined;
  let milestone: View['milestone'] = () => undefined;
  return {
    introduction: element(
      'p',
      {},
      'A bigram model of ',
      element('cite', {}, 'Moby Dick'),
      ' says how likely each token follows each other one: a matrix of logits, fitted by maximum likelihood, that is, to the least ' +
        'cross-entropy. What it comes to is known. The cross-entropy H(q, p) is the entropy H(q) of the text itself, which no model ' +
        'gets below, and the divergence D(q‖p), which training takes to 0.',
    ),
    root: element('div', {}, figures.root, curves.root),
    about: element(
      'div',
      {},
      size,
      element(
        'p',
        {},
        `Each step computes loss and gradient of all rows and one update by Adam, whose rate is constant: a larger one learns faster, and then ` +
          `strays farther around the best model. Lower it, and the divergence falls further. The training rests every ${STEPS_A_RUN} steps; Start goes on.`,
      ),
    ),
    begin(untrained) {
      model = untrained as UntrainedBigrams;
      milestone = bigramMilestones(Math.log(model.size) - model.floor);
      const { vocabulary, restShare } = model;
      size.textContent =
        `The model knows the ${count(vocabulary)} commonest tokens, and one more for all others, ${(100 * restShare).toFixed(1)}\u00a0% of the text: ` +
        `${count(model.size)} × ${count(model.size)} logits. Untrained, it holds every token for equally likely: ln ${count(model.size)} = ${fixed(Math.log(model.size))} nats.`;
      return `a model of ${count(model.size)} tokens`;
    },
    hold: () => undefined,
    draw(readings) {
      if (model === undefined) return;
      const { floor } = model;
      const untrained = Math.log(model.size);
      const all = readings as readonly BigramReading[];
      const { step, crossEntropy, divergence } = all.at(-1) ?? {
        step: 0,
        crossEntropy: untrained,
        divergence: untrained - floor,
      };
      figures.set({
        step: count(step),
        crossEntropy: nats(crossEntropy),
        floor: nats(floor),
        divergence: `${digits(divergence)} nats`,
        perplexity: `${Math.exp(crossEntropy).toFixed(2)} (${Math.exp(floor).toFixed(2)})`,
      });
      curves.draw(all, { floor, untrained });
    },
    milestone: (reading) => milestone(reading),
    summary(readings) {
      const { divergence } = readings.at(-1) as BigramReading;
      return `the divergence is ${digits(divergence)} nats, ${divergence <= GOAL ? 'within' : 'above'} the ${GOAL} that count as learned`;
    },
  };
}
