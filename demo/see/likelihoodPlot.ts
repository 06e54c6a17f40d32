// Likelihoods over the number of examples: the products to where they end, the sum of logs all the way.
import * as Plot from '@observablehq/plot';
import { fixed } from '../format.js';
import { COLORS, FAINT, type LegendEntry, type PlotArea, strokeOf } from '../plot.js';
import type { Likelihoods } from './underflow.js';

const SUM: LegendEntry = { label: 'sum of logs', color: COLORS[2], wide: true };
const DOUBLE: LegendEntry = { label: 'product in Float64', color: COLORS[0] };
const SINGLE: LegendEntry = { label: 'product in Float32', color: COLORS[1], dashed: true };

export const LEGEND: readonly LegendEntry[] = [SUM, DOUBLE, SINGLE];

/** @param n the number of examples to mark */
export function drawLikelihoods(
  plot: PlotArea,
  { single, double, logs, singleGone, doubleGone }: Likelihoods,
  n: number,
): void {
  const place = { x: 'n', y: 'log10' };
  const point = (k: number, log10: number): Point => ({ n: k, log10 });
  const sums = Array.from(logs, (log, k) => point(k, log / Math.LN10));
  const products = (values: Float64Array, gone: number): Point[] =>
    Array.from(values.subarray(0, gone), (value, k) => point(k, Math.log10(value)));
  const [singles, doubles] = [products(single, singleGone), products(double, doubleGone)];
  plot.draw(
    {
      x: { domain: [0, logs.length - 1], label: 'examples' },
      y: { label: 'likelihood, as a power of 10', grid: true },
      marginLeft: 52,
      marks: [
        Plot.ruleX([n], { stroke: FAINT, strokeDasharray: '4 4' }),
        Plot.line(sums, { ...place, ...strokeOf(SUM) }),
        Plot.line(doubles, { ...place, ...strokeOf(DOUBLE) }),
        Plot.line(singles, { ...place, ...strokeOf(SINGLE) }),
        Plot.dot([singles.at(-1), doubles.at(-1)], { ...place, r: 4, fill: 'currentColor' }),
        // Where there is room beside the lines: right of the first end, left of the second.
        Plot.text([singles.at(-1)], {
          ...place,
          ...ending('Float32', singleGone),
          textAnchor: 'start',
          dx: 10,
          dy: -4,
        }),
        Plot.text([doubles.at(-1)], {
          ...place,
          ...ending('Float64', doubleGone),
          textAnchor: 'end',
          dx: -10,
          dy: 10,
        }),
        Plot.dot([sums[n]], { ...place, r: 6, fill: SUM.color }),
      ],
    },
    `The likelihood falls as examples are added: the product in Float32 is 0 from ${singleGone} examples on, in Float64 from ${doubleGone} on. ` +
      `The sum of logs goes on in a line: ${fixed(logs[n] as number)} nats at ${n} examples.`,
  );
}

interface Point {
  readonly n: number;
  /** Of the likelihood of the first n examples. */
  readonly log10: number;
}

function ending(format: string, gone: number): Pick<Plot.TextOptions, 'text'> {
  return { text: () => `${format}: 0 from ${gone} on` };
}
