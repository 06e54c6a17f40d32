// The two curves: the cross-entropy over its floor, and on a logarithmic scale what is between them.
import * as Plot from '@observablehq/plot';
import { GOAL } from '../../examples/bigram/report.js';
import { element } from '../dom.js';
import { count, digits, fixed } from '../format.js';
import { COLORS, FAINT, legend, plotArea } from '../plot.js';
import type { Reading } from './messages.js';
import { stepAxis } from './stepAxis.js';

export interface BigramCurves {
  readonly root: HTMLElement;
  /** @param readings in order of their steps; `floor` and `untrained` in nats a token */
  draw(
    readings: readonly Required<Reading>[],
    model: { readonly floor: number; readonly untrained: number },
  ): void;
}

/** The scale of the divergence begins here, unless a smaller one was read. */
const SMALL_DIVERGENCE = 1e-5;

export function bigramCurves(): BigramCurves {
  const crossEntropy = plotArea();
  const divergence = plotArea();
  const root = element(
    'div',
    { class: 'pair' },
    element(
      'div',
      {},
      element('h3', {}, 'Cross-entropy'),
      legend([
        { label: 'of the model', color: COLORS[0] },
        { label: 'the floor', color: COLORS[2], dashed: true },
      ]),
      crossEntropy.root,
    ),
    element(
      'div',
      {},
      element('h3', {}, 'Divergence'),
      legend([
        { label: 'above the floor', color: COLORS[1] },
        { label: `learned: ${GOAL}`, color: FAINT, dashed: true },
      ]),
      divergence.root,
    ),
  );
  return {
    root,
    draw(readings, { floor, untrained }) {
      const last = readings.at(-1);
      const x = stepAxis(last);
      const now =
        last === undefined
          ? 'Nothing is trained yet.'
          : `At step ${count(last.step)}: ${fixed(last.crossEntropy)} nats, ${digits(last.divergence)} above the floor.`;
      crossEntropy.draw(
        {
          x,
          y: { domain: [0, untrained * 1.05], label: 'nats a token', grid: true },
          marks: [
            Plot.ruleY([0]),
            Plot.ruleY([floor], { stroke: COLORS[2], strokeWidth: 2, strokeDasharray: '4 3' }),
            Plot.line(readings, { x: 'step', y: 'crossEntropy', stroke: COLORS[0], strokeWidth: 2.5 }),
            Plot.dot(last ? [last] : [], { x: 'step', y: 'crossEntropy', r: 5, fill: COLORS[0] }),
          ],
        },
        `The cross-entropy over the steps, from ${fixed(untrained)} nats down to the floor at ${fixed(floor)}. ${now}`,
      );
      // A logarithm has no place for what rounding makes of 0.
      const positive = readings.filter((reading) => reading.divergence > 0);
      const least = Math.min(...positive.map((reading) => reading.divergence), SMALL_DIVERGENCE);
      divergence.draw(
        {
          x,
          y: {
            type: 'log',
            domain: [least, Math.max(10, untrained)],
            label: 'nats a token',
            grid: true,
            ticks: 6,
            tickFormat: (nats: number) => (nats < 0.01 ? nats.toExponential(0) : String(nats)),
          },
          marks: [
            Plot.ruleY([GOAL], { stroke: FAINT, strokeWidth: 2, strokeDasharray: '4 3' }),
            Plot.line(positive, { x: 'step', y: 'divergence', stroke: COLORS[1], strokeWidth: 2.5 }),
            Plot.dot(positive.slice(-1), { x: 'step', y: 'divergence', r: 5, fill: COLORS[1] }),
          ],
        },
        `The divergence over the steps, on a logarithmic scale, on its way to 0. ${now}`,
      );
    },
  };
}
