// The product of likelihoods, which underflows, beside the sum of their logarithms, which does not.
import { element, field, figureList } from '../dom.js';
import { count, fixed } from '../format.js';
import { legend, plotArea } from '../plot.js';
import { drawLikelihoods, LEGEND } from './likelihoodPlot.js';
import type { Part } from './part.js';
import { surprises } from './quantities.js';
import { drawOutcomes, type Likelihoods, likelihoods } from './underflow.js';

const MOST_EXAMPLES = 1000;
const MODEL = [0.4, 0.3, 0.2, 0.1] as const;
const SEED = 1851;

export const mountLikelihood: Part = (root, context, report) => {
  const slider = element('input', { type: 'range', min: 1, max: MOST_EXAMPLES, step: 1, value: 60 });
  const plot = plotArea();
  const figures = figureList({
    examples: 'Examples',
    single: 'Product in Float32',
    double: 'Product in Float64',
    sum: 'Sum of logs',
    mean: 'Cross-entropy: −sum / examples',
  });
  root.append(
    element('h3', {}, 'Why losses are sums of logarithms'),
    element(
      'p',
      {},
      'The likelihood of a model is the probability it gives to all examples together: the product of its probabilities, one for each. ',
      `Here outcomes are drawn from four with probabilities ${MODEL.join(', ')}. The product soon is smaller than any float above 0, and the computer `,
      'says 0: nothing to compare, no gradient. Its logarithm is a sum, has no such limit, and is greatest where the product is. ',
      'Divided by −examples it is the mean cross-entropy: the least cross-entropy is the greatest likelihood.',
    ),
    field('Number of examples', slider),
    plot.root,
    legend(LEGEND),
    figures.root,
  );

  let curves: Likelihoods | undefined;
  const show = (): void => {
    if (curves === undefined) return;
    const n = slider.valueAsNumber;
    const { single, double, logs } = curves;
    const sum = logs[n] as number;
    figures.set({
      examples: count(n),
      single: product(single[n] as number),
      double: product(double[n] as number),
      sum: `${fixed(sum)} nats`,
      mean: `${fixed(-sum / n)} nats`,
    });
    drawLikelihoods(plot, curves, n);
  };
  slider.addEventListener('input', show);
  const outcomes = drawOutcomes(MODEL, MOST_EXAMPLES, SEED);
  context
    .use((current) => surprises(current, MODEL, outcomes))
    .then((losses) => {
      curves = likelihoods(losses);
      show();
    })
    .catch(report);
};

function product(value: number): string {
  return value === 0 ? '0: it has underflowed' : value.toExponential(3).replace('-', '−');
}
