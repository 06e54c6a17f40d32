// What all plots of the demo have in common: they fill their place, follow the colours of the page, and have words for those who do
// not see them.
import * as Plot from '@observablehq/plot';
import { element, svgElement } from './dom.js';

/** Colours of series; `style.css` has them for light and dark. */
export const COLORS = ['var(--series-1)', 'var(--series-2)', 'var(--series-3)', 'var(--series-4)'] as const;

/** Of lines that help reading and are no data. */
export const FAINT = 'var(--faint)';

export interface PlotArea {
  readonly root: HTMLElement;
  /**
   * Draws in the place of what was there.
   *
   * @param description the plot in words: what it shows now, with its most important numbers
   */
  draw(options: Plot.PlotOptions, description: string): void;
}

const HEIGHT = 260;

/**
 * A place for a plot, as wide as its surroundings: drawn again when they change. It is as high before anything is drawn: what is below
 * stays where it is.
 *
 * @param height in pixels
 */
export function plotArea(height = HEIGHT): PlotArea {
  const root = element('div', { class: 'plot', role: 'img', 'aria-label': 'Nothing is drawn yet' });
  root.style.minHeight = `${height}px`;
  let latest: Plot.PlotOptions | undefined;
  let drawnWidth = 0;
  const render = (): void => {
    drawnWidth = Math.floor(root.clientWidth);
    if (latest === undefined || drawnWidth === 0) return;
    root.replaceChildren(
      Plot.plot({
        height,
        marginLeft: 48,
        marginBottom: 40,
        ...latest,
        width: drawnWidth,
        style: { background: 'transparent', color: 'inherit', fontSize: '12px', overflow: 'visible' },
      }),
    );
  };
  new ResizeObserver(() => {
    if (Math.floor(root.clientWidth) !== drawnWidth) render();
  }).observe(root);
  return {
    root,
    draw(options, description) {
      latest = options;
      root.setAttribute('aria-label', description);
      render();
    },
  };
}

export interface LegendEntry {
  readonly label: string;
  readonly color: string;
  readonly dashed?: boolean;
  readonly wide?: boolean;
}

interface Stroke {
  readonly stroke: string;
  readonly strokeWidth: number;
  readonly strokeOpacity?: number;
  readonly strokeDasharray?: string;
}

/** How the line of an entry looks: in the plot as in the legend. */
export function strokeOf({ color, dashed = false, wide = false }: LegendEntry): Stroke {
  return {
    stroke: color,
    strokeWidth: wide ? 7 : 2.5,
    ...(wide && { strokeOpacity: 0.4 }),
    ...(dashed && { strokeDasharray: '4 3' }),
  };
}

/** Which line of a plot is which. */
export function legend(entries: readonly LegendEntry[]): HTMLElement {
  const items = entries.map((entry) => {
    const { stroke, strokeWidth, strokeOpacity, strokeDasharray } = strokeOf(entry);
    const line = svgElement('line', {
      x1: 0,
      x2: 28,
      y1: 6,
      y2: 6,
      stroke,
      'stroke-width': strokeWidth,
      'stroke-opacity': strokeOpacity,
      'stroke-dasharray': strokeDasharray,
    });
    const swatch = svgElement('svg', { width: 28, height: 12, 'aria-hidden': 'true' }, line);
    return element('li', {}, swatch, entry.label);
  });
  return element('ul', { class: 'legend' }, ...items);
}
