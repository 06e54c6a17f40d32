// Pictures of what was measured, as SVG. Loaded only where they are asked for.

import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { nameOf } from '../measure/cases.js';
import { isLinear } from '../measure/tensors.js';
import type { Row } from './row.js';

/** SVG texts by the name of their file. */
export type Plots = Readonly<Record<string, string>>;

interface Point {
  readonly op: string;
  readonly adapter: string;
  readonly classes: number;
  /** Of one element, in nanoseconds: shapes of all sizes have a place in one plot. */
  readonly time: number;
  readonly low: number;
  readonly high: number;
  readonly ofCopy: number;
}

/** The speed of a linear layer's products in one case. */
interface ProductPoint {
  readonly adapter: string;
  /** The name of the case. */
  readonly of: string;
  readonly contender: string;
  readonly speed: number;
}

/**
 * One plot an adapter of how near to the copy's bandwidth each op comes, and one of all adapters beside the CPU. Linear layers are
 * limited by arithmetic, and have a plot of their own: their operations a second, beside those with all logits there.
 */
export function drawPlots(rows: readonly Row[]): Plots {
  const points = rows.flatMap(pointsOf);
  const adapters = new Set(points.map(({ adapter }) => adapter));
  return {
    ...byAdapter('bandwidth', points, bandwidth),
    ...byAdapter('products', rows.flatMap(productPointsOf), products),
    ...(adapters.size > 1 && { 'adapters.svg': beside(points) }),
  };
}

/** A plot of each adapter that has points. */
function byAdapter<P extends { readonly adapter: string }>(
  name: string,
  points: readonly P[],
  plot: (adapter: string, points: readonly P[]) => string,
): Plots {
  const adapters = [...new Set(points.map(({ adapter }) => adapter))];
  return Object.fromEntries(
    adapters.map((adapter) => [
      `${name}-${fileName(adapter)}.svg`,
      plot(
        adapter,
        points.filter((point) => point.adapter === adapter),
      ),
    ]),
  );
}

function productPointsOf(row: Row): ProductPoint[] {
  const { adapter, contender, gigaflopsPerSecond: speed } = row;
  return speed === undefined ? [] : [{ adapter: adapter.name, of: nameOf(row), contender, speed }];
}

function pointsOf({ op, adapter, rows, classes, contender, timing }: Row): Point[] {
  const ratio = timing?.ratios['copy'];
  if (isLinear(op) || contender !== 'ours' || timing === undefined || ratio === undefined) return [];
  const time = (timing.ms.median * 1e6) / (rows * classes);
  return [
    { op, adapter: adapter.name, classes, time, low: ratio.p25, high: ratio.p75, ofCopy: ratio.median },
  ];
}

const classesAxis = { label: 'classes', type: 'log', base: 2, tickFormat: (c: number) => String(c) } as const;

function bandwidth(adapter: string, points: readonly Point[]): string {
  return draw({
    title: `Fraction of the copy's bandwidth on ${adapter}, median and middle half`,
    x: classesAxis,
    y: { label: 'of copy', domain: [0, Math.max(1, ...points.map(({ high }) => high))], grid: true },
    color: { type: 'categorical' },
    marks: [
      Plot.ruleY([1], { strokeDasharray: '4 4' }),
      Plot.areaY(byClasses(points), { x: 'classes', y1: 'low', y2: 'high', fill: 'op', fillOpacity: 0.15 }),
      Plot.lineY(byClasses(points), { x: 'classes', y: 'ofCopy', stroke: 'op', marker: 'dot' }),
      Plot.text(byClasses(points), Plot.selectLast(labelled('ofCopy', 'op'))),
    ],
  });
}

function products(adapter: string, points: readonly ProductPoint[]): string {
  const contenders = [...new Set(points.map(({ contender }) => contender))];
  const cases = [...new Set(points.map(({ of }) => of))];
  return draw({
    title: `Products of linear layers on ${adapter}, GFLOP/s`,
    x: { label: 'GFLOP/s', grid: true },
    y: { label: null, domain: contenders },
    fy: { label: null, domain: cases },
    marginLeft: 120,
    marginRight: 320,
    height: (20 * contenders.length + 12) * cases.length + 80,
    marks: [Plot.ruleX([0]), Plot.barX(points, { x: 'speed', y: 'contender', fy: 'of', fill: 'steelblue' })],
  });
}

function beside(points: readonly Point[]): string {
  const ops = [...new Set(points.map(({ op }) => op))];
  return draw({
    title: 'Time for one element, by adapter',
    x: classesAxis,
    y: { label: 'ns', type: 'log', grid: true },
    fy: { axis: null, domain: ops },
    color: { type: 'categorical' },
    height: 200 * ops.length + 80,
    marks: [
      Plot.frame({ stroke: 'lightgray' }),
      Plot.text(ops, { fy: ops, text: ops, frameAnchor: 'top-left', dx: 6, dy: 6, fontWeight: 'bold' }),
      Plot.lineY(byClasses(points), { x: 'classes', y: 'time', fy: 'op', stroke: 'adapter', marker: 'dot' }),
      Plot.text(byClasses(points), Plot.selectLast({ ...labelled('time', 'adapter'), fy: 'op' })),
    ],
  });
}

/** The name of a line at its end, in place of a legend. */
function labelled(y: string, name: string): Plot.TextOptions {
  return { x: 'classes', y, text: name, fill: name, textAnchor: 'start', dx: 8 };
}

function byClasses(points: readonly Point[]): Point[] {
  return points.toSorted((a, b) => a.classes - b.classes);
}

function draw({ title, ...options }: Plot.PlotOptions & { readonly title: string }): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    width: 860,
    marginRight: 140,
    marginLeft: 60,
    marginTop: 56,
    ...options,
    document: document as unknown as Document,
  });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('style', 'background: white; font-family: system-ui, sans-serif');
  const heading = document.createElementNS('http://www.w3.org/2000/svg', 'text');
  heading.setAttribute('x', '60');
  heading.setAttribute('y', '18');
  heading.setAttribute('font-size', '13');
  heading.setAttribute('text-anchor', 'start');
  heading.textContent = title;
  svg.append(heading as unknown as Node);
  return `${svg.outerHTML}\n`;
}

function fileName(adapter: string): string {
  return adapter.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
}
