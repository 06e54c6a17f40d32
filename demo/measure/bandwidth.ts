// Bandwidth over the number of classes.
import * as Plot from '@observablehq/plot';
import type { Row } from '../../bench/report/row.js';
import { count, digits } from '../format.js';
import { COLORS, type LegendEntry, type PlotArea, strokeOf } from '../plot.js';
import { CPU, CPU_COPY, GPU, GPU_COPY } from './contenders.js';

/** Lines by the names of the contenders. */
const LINES: Readonly<Record<string, LegendEntry>> = {
  [GPU]: { label: GPU, color: COLORS[0] },
  [GPU_COPY]: { label: GPU_COPY, color: COLORS[0], dashed: true },
  [CPU]: { label: CPU, color: COLORS[1] },
  [CPU_COPY]: { label: CPU_COPY, color: COLORS[1], dashed: true },
};

export const LEGEND: readonly LegendEntry[] = Object.values(LINES);

interface Point {
  readonly classes: number;
  readonly contender: string;
  /** 10^9 bytes a second. */
  readonly speed: number;
}

export function drawBandwidth(plot: PlotArea, rows: readonly Row[]): void {
  const points = rows.flatMap(({ classes, contender, gigabytesPerSecond }): Point[] =>
    gigabytesPerSecond === undefined ? [] : [{ classes, contender, speed: gigabytesPerSecond }],
  );
  const marks = Object.entries(LINES).flatMap(([name, entry]) => {
    const own = points.filter(({ contender }) => contender === name);
    const place = { x: 'classes', y: 'speed' };
    const { color, dashed } = entry;
    return [
      Plot.line(own, { ...place, ...strokeOf(entry) }),
      Plot.dot(own, { ...place, r: 4, stroke: color, fill: dashed ? 'var(--surface)' : color }),
    ];
  });
  plot.draw(
    {
      x: { type: 'log', base: 2, label: 'classes', tickFormat: short },
      y: { type: 'log', label: 'GB/s', grid: true, tickFormat: digits },
      marks,
    },
    `Bandwidth over the number of classes. ${inWords(points)}`,
  );
}

/** Where each line begins and ends. */
function inWords(points: readonly Point[]): string {
  const lines = Object.keys(LINES).flatMap((name) => {
    const own = points.filter(({ contender }) => contender === name);
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) return [];
    const begin = `${name}: ${digits(first.speed)} GB/s at ${count(first.classes)} classes`;
    return [first === last ? `${begin}.` : `${begin}, ${digits(last.speed)} at ${count(last.classes)}.`];
  });
  return lines.join(' ');
}

/** `512`, `4k`, `256k`; ticks that are no power of two stay as they are. */
function short(classes: number): string {
  return classes % 1024 === 0 ? `${classes / 1024}k` : String(classes);
}
