// The product of likelihoods, which underflows, beside the sum of their logarithms, which does not.
import * as Plot from '@observablehq/plot';
import { element, field, figureList } from '../dom.js';
import { count, fixed } from '../format.js';
import { COLORS, FAINT, legend, plotArea } from '../plot.js';
import type { Part } from './part.js';
import { surprises } from './quantities.js';
import { drawOutcomes, likelihoods } from './underflow.js';

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
    legend([
      { label: 'sum of logs', color: COLORS[2], wide: true },
      { label: 'product in Float64', color: COLORS[0] },
      { label: 'product in Float32', color: COLORS[1], dashed: true },
    ]),
    figures.root,
  );

  let curves: ReturnType<typeof likelihoods> | undefined;
  const show = (): void => {
    if (curves === undefined) return;
    const n = slider.valueAsNumber;
    const { single, double, logs, singleGone, doubleGone } = curves;
    const sum = logs[n] as number;
    figures.set({
      examples: count(n),
      single: product(single[n] as number),
      double: product(double[n] as number),
      sum: `${fixed(sum)} nats`,
      mean: `${fixed(-sum / n)} nats`,
    });
    const points = (values: Float64Array): { n: number; log10: number }[] =>
      Array.from(values, (value, k) => ({ n: k, log10: Math.log10(value) })).filter(
        ({ log10 }) => log10 > -Infinity,
      );
    const ends = [
      {
        n: singleGone - 1,
        log10: Math.log10(single[singleGone - 1] as number),
        text: `Float32: 0 from ${singleGone} on`,
      },
      {
        n: doubleGone - 1,
        log10: Math.log10(double[doubleGone - 1] as number),
        text: `Float64: 0 from ${doubleGone} on`,
      },
    ];
    plot.draw(
      {
        x: { domain: [0, MOST_EXAMPLES], label: 'examples' },
        y: { label: 'likelihood, as a power of 10', grid: true },
        marginLeft: 52,
        marks: [
          Plot.ruleX([n], { stroke: FAINT, strokeDasharray: '4 4' }),
          Plot.line(
            Array.from(logs, (log, k) => ({ n: k, log10: log / Math.LN10 })),
            {
              x: 'n',
              y: 'log10',
              stroke: COLORS[2],
              strokeWidth: 7,
              strokeOpacity: 0.4,
            },
          ),
          Plot.line(points(double), { x: 'n', y: 'log10', stroke: COLORS[0], strokeWidth: 2.5 }),
          Plot.line(points(single), {
            x: 'n',
            y: 'log10',
            stroke: COLORS[1],
            strokeWidth: 2.5,
            strokeDasharray: '4 3',
          }),
          Plot.dot(ends, { x: 'n', y: 'log10', r: 4, fill: 'currentColor' }),
          Plot.text(ends.slice(0, 1), {
            x: 'n',
            y: 'log10',
            text: 'text',
            textAnchor: 'start',
            dx: 10,
            dy: -4,
          }),
          Plot.text(ends.slice(1), { x: 'n', y: 'log10', text: 'text', textAnchor: 'end', dx: -10, dy: 10 }),
          Plot.dot([{ n, log10: sum / Math.LN10 }], { x: 'n', y: 'log10', r: 6, fill: COLORS[2] }),
        ],
      },
      `The likelihood falls as examples are added: the product in Float32 is 0 from ${singleGone} examples on, in Float64 from ${doubleGone} on. ` +
        `The sum of logs goes on in a line: ${fixed(sum)} nats at ${n} examples.`,
    );
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
