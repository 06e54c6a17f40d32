// The entropy of a coin, as the probability of heads moves.
import * as Plot from '@observablehq/plot';
import { element, field, figureList, formula } from '../dom.js';
import { fixed, nats } from '../format.js';
import { COLORS, FAINT, plotArea } from '../plot.js';
import type { Part } from './part.js';
import { coinEntropies } from './quantities.js';

/** Steps of the slider from 0 to 1; the entropies of all of them are computed in one call. */
const STEPS = 200;
const HEADS = Array.from({ length: STEPS + 1 }, (_, k) => k / STEPS);

export const mountCoin: Part = (root, context, report) => {
  const slider = element('input', { type: 'range', min: 0, max: 1, step: 1 / STEPS, value: 0.3 });
  const plot = plotArea();
  const figures = figureList({
    heads: 'p, heads',
    entropy: 'H(p)',
    perplexity: 'Perplexity, exp H(p)',
  });
  root.append(
    element('h3', {}, 'The entropy of a coin'),
    element(
      'p',
      {},
      'A coin shows heads with probability p. Its entropy ',
      formula('H(p) = −p log p − (1 − p) log (1 − p)'),
      ' is how surprised you are, on average, by a throw: not at all where you know what comes, most where both sides are as likely: ',
      formula('log 2'),
      ', or one bit.',
    ),
    field('p, the probability of heads', slider),
    plot.root,
    figures.root,
  );

  let entropies: Float32Array | undefined;
  const show = (): void => {
    if (entropies === undefined) return;
    const p = slider.valueAsNumber;
    const h = entropies[Math.round(p * STEPS)] as number;
    figures.set({ heads: p.toFixed(3), entropy: nats(h), perplexity: fixed(Math.exp(h)) });
    const curve = Array.from(entropies, (entropy, k) => ({ p: k / STEPS, entropy }));
    plot.draw(
      {
        x: { domain: [0, 1], label: 'p' },
        y: { domain: [0, 0.75], label: 'H(p), nats', grid: true },
        marks: [
          Plot.ruleY([0]),
          Plot.ruleX([p], { stroke: FAINT, strokeDasharray: '4 4' }),
          Plot.lineY(curve, { x: 'p', y: 'entropy', stroke: COLORS[0], strokeWidth: 2.5 }),
          Plot.dot([{ p, entropy: h }], { x: 'p', y: 'entropy', r: 7, fill: COLORS[1] }),
        ],
      },
      `The entropy of a coin over p: 0 at p = 0, ${fixed(Math.LN2)} nats at p = 0.5, 0 at p = 1. At p = ${p.toFixed(3)} it is ${fixed(h)} nats.`,
    );
  };
  slider.addEventListener('input', show);
  context
    .use((current) => coinEntropies(current, HEADS))
    .then((computed) => {
      entropies = computed;
      show();
    })
    .catch(report);
};
