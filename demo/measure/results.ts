// What was measured, as a table and a plot.
import * as Plot from '@observablehq/plot';
import type { Row } from '../../bench/report/row.js';
import { element } from '../dom.js';
import { count, digits } from '../format.js';
import { COLORS, type LegendEntry, type PlotArea } from '../plot.js';
import { COPY_OF, CPU, CPU_COPY, GPU, GPU_COPY } from './contenders.js';

const LINES: Readonly<Record<string, LegendEntry>> = {
  [GPU]: { label: 'GPU', color: COLORS[0] },
  [GPU_COPY]: { label: 'copy on the GPU', color: COLORS[0], dashed: true },
  [CPU]: { label: 'CPU', color: COLORS[1] },
  [CPU_COPY]: { label: 'copy on the CPU', color: COLORS[1], dashed: true },
};

export const LEGEND: readonly LegendEntry[] = Object.values(LINES);

const HEAD = ['rows × classes', 'on', 'ms', 'GB/s', 'of its copy', 'than the CPU', 'error / bound'] as const;

/** A table of the rows, the copies left out: they are what the others are compared with. */
export function tableOf(rows: readonly Row[]): HTMLTableElement {
  const subjects = rows.filter(({ contender }) => contender in COPY_OF);
  return element(
    'table',
    {},
    element('caption', {}, 'Medians; each in turn with the others on the same data'),
    element('thead', {}, element('tr', {}, ...HEAD.map((name) => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...subjects.map(lineOf)),
  );
}

function lineOf(row: Row): HTMLTableRowElement {
  const { rows, classes, contender, timing, wrong, leftOut, gigabytesPerSecond, errorOverBound } = row;
  const shape = element('th', { scope: 'row' }, `${count(rows)} × ${count(classes)}`);
  const on = element('td', {}, contender);
  if (timing === undefined) {
    const why = wrong === undefined ? `left out: ${leftOut}` : `not timed, for it is wrong: ${wrong}`;
    return element('tr', {}, shape, on, element('td', { colspan: HEAD.length - 2 }, why));
  }
  const ofCopy = timing.ratios[COPY_OF[contender] as string];
  const overCpu = timing.ratios[CPU];
  const cells = [
    digits(timing.ms.median),
    digits(gigabytesPerSecond as number),
    ofCopy ? `${digits(100 * ofCopy.median)} %` : '',
    overCpu ? `${digits(overCpu.median)} × as fast` : '',
    errorOverBound === undefined ? '' : digits(errorOverBound),
  ];
  return element('tr', {}, shape, on, ...cells.map((text) => element('td', {}, text)));
}

/** Bandwidth over the number of classes. */
export function drawBandwidth(plot: PlotArea, rows: readonly Row[]): void {
  const points = rows.flatMap(({ classes, contender, gigabytesPerSecond, ...row }) =>
    gigabytesPerSecond === undefined
      ? []
      : [{ classes, rows: row.rows, contender, speed: gigabytesPerSecond }],
  );
  const marks = Object.entries(LINES).flatMap(([name, { color, dashed }]) => {
    const own = points.filter(({ contender }) => contender === name);
    return [
      Plot.line(own, {
        x: 'classes',
        y: 'speed',
        stroke: color,
        strokeWidth: 2.5,
        ...(dashed && { strokeDasharray: '4 3' }),
      }),
      Plot.dot(own, { x: 'classes', y: 'speed', r: 4, ...(dashed ? { stroke: color } : { fill: color }) }),
    ];
  });
  plot.draw(
    {
      x: { type: 'log', base: 2, label: 'classes', tickFormat: (classes: number) => short(classes) },
      y: { type: 'log', label: 'GB/s', grid: true, tickFormat: (speed: number) => digits(speed) },
      marks,
    },
    `Bandwidth over the number of classes. ${describeEnds(points)}`,
  );
}

interface Point {
  readonly classes: number;
  readonly contender: string;
  readonly speed: number;
}

function describeEnds(points: readonly Point[]): string {
  return Object.keys(LINES)
    .flatMap((name) => {
      const own = points.filter(({ contender }) => contender === name);
      const [first, last] = [own[0], own.at(-1)];
      if (first === undefined || last === undefined) return [];
      const begin = `${name}: ${digits(first.speed)} GB/s at ${count(first.classes)} classes`;
      return [first === last ? `${begin}.` : `${begin}, ${digits(last.speed)} at ${count(last.classes)}.`];
    })
    .join(' ');
}

/** `512`, `4k`, `256k` */
function short(classes: number): string {
  return classes < 1024 ? String(classes) : `${classes / 1024}k`;
}
