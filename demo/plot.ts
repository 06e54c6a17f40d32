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

/** A place for a plot, as wide as its surroundings: drawn again when they change. */
export function plotArea(): PlotArea {
  const root = element('div', { class: 'plot', role: 'img', 'aria-label': 'Nothing is drawn yet' });
  let latest: Plot.PlotOptions | undefined;
  let drawnWidth = 0;
  const render = (): void => {
    drawnWidth = Math.floor(root.clientWidth);
    if (latest === undefined || drawnWidth === 0) return;
    root.replaceChildren(
      Plot.plot({
        height: HEIGHT,
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

/** Which line of a plot is which. */
export function legend(entries: readonly LegendEntry[]): HTMLElement {
  const items = entries.map(({ label, color, dashed = false, wide = false }) => {
    const line = svgElement('line', {
      x1: 0,
      x2: 28,
      y1: 6,
      y2: 6,
      stroke: color,
      'stroke-width': wide ? 7 : 2.5,
      'stroke-opacity': wide ? 0.4 : undefined,
      'stroke-dasharray': dashed ? '4 3' : undefined,
    });
    const swatch = svgElement('svg', { width: 28, height: 12, 'aria-hidden': 'true' }, line);
    return element('li', {}, swatch, label);
  });
  return element('ul', { class: 'legend' }, ...items);
}
