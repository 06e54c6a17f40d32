// H(p) and D(p‖q) end to end, above H(p, q): as long together.
import * as Plot from '@observablehq/plot';
import { fixed } from '../format.js';
import { COLORS, type PlotArea } from '../plot.js';
import type { Comparison } from './quantities.js';

const SUM = 'H(p) + D(p‖q)';
const WHOLE = 'H(p, q)';
/** What the bars have room for, in nats: more than the cross-entropy of all but extreme beliefs. */
const ROOM = 2.5;

/** Draws a comparison. What is infinite goes to the end of the plot, and says so. */
export function drawSum(plot: PlotArea, { entropy, crossEntropy, divergence }: Comparison): void {
  const isInfinite = crossEntropy === Number.POSITIVE_INFINITY;
  const room = isInfinite ? ROOM : Math.max(ROOM, crossEntropy * 1.05);
  const end = (value: number): number => Math.min(value, room);
  const segments = [
    { bar: SUM, part: 'H(p)', from: 0, to: entropy, color: COLORS[2] },
    { bar: SUM, part: 'D(p‖q)', from: entropy, to: end(entropy + divergence), color: COLORS[1] },
    { bar: WHOLE, part: 'H(p, q)', from: 0, to: end(crossEntropy), color: COLORS[3] },
  ].filter(({ from, to }) => to > from);
  plot.draw(
    {
      marginLeft: 96,
      x: { domain: [0, room], label: 'nats', grid: true },
      y: { domain: [SUM, WHOLE], label: null, tickSize: 0 },
      marks: [
        Plot.barX(segments, { y: 'bar', x1: 'from', x2: 'to', fill: 'color' }),
        Plot.text(
          // A name has room in a bar that is not too short.
          segments.filter(({ from, to }) => to - from > room / 7),
          {
            y: 'bar',
            x: ({ from, to }: (typeof segments)[number]) => (from + to) / 2,
            text: 'part',
            fill: 'var(--surface)',
            fontWeight: 'bold',
          },
        ),
        ...(isInfinite
          ? [
              Plot.text([SUM, WHOLE], {
                y: (bar: string) => bar,
                x: room,
                text: () => '∞',
                textAnchor: 'end',
                dx: -6,
                fontSize: 20,
                fontWeight: 'bold',
                fill: 'var(--surface)',
              }),
            ]
          : []),
        Plot.ruleX([0]),
      ],
    },
    isInfinite
      ? `H(p) is ${fixed(entropy)} nats; D(p‖q) is infinite, and so is their sum H(p, q).`
      : `H(p), ${fixed(entropy)} nats, and D(p‖q), ${fixed(divergence)} nats, end to end are as long as H(p, q), ${fixed(crossEntropy)} nats.`,
  );
}
