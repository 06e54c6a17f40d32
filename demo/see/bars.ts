// Bars that are dragged: a distribution to set by hand, each bar a slider for the keyboard and for screen readers.
import { element, setAttributes, svgElement } from '../dom.js';
import { type Shares, WHOLE, withShare } from './shares.js';

export interface Bars {
  readonly root: HTMLElement;
  /** Sets all bars at once; nobody is told. */
  set(shares: Shares): void;
}

export interface BarsOptions {
  /** `p` */
  readonly name: string;
  /** What the distribution is, for people. */
  readonly title: string;
  readonly outcomes: readonly string[];
  readonly shares: Shares;
  readonly color: string;
  /** Told of every change by hand. */
  readonly onChange: (shares: Shares) => void;
}

// In units of the drawing; a bar of 100 % is as high as the room for it.
const WIDTH = 100;
const HEIGHT = 150;
const ABOVE = 22;
const BELOW = 24;

/** Percents by which keys change a bar; Home and End go to its ends. */
const KEYS: Readonly<Record<string, (percent: number) => number>> = {
  ArrowUp: (percent) => percent + 1,
  ArrowRight: (percent) => percent + 1,
  ArrowDown: (percent) => percent - 1,
  ArrowLeft: (percent) => percent - 1,
  PageUp: (percent) => percent + 10,
  PageDown: (percent) => percent - 10,
  Home: () => 0,
  End: () => WHOLE,
};

export function bars({ name, title, outcomes, shares: first, color, onChange }: BarsOptions): Bars {
  let shares = first;
  // While one bar is being changed, the others keep the proportions that they had before, not those of the last rounding.
  let base = { k: -1, shares: first };

  const change = (k: number, percent: number): void => {
    if (base.k !== k) base = { k, shares };
    shares = withShare(base.shares, k, percent);
    show();
    onChange(shares);
  };

  const columns = outcomes.map((outcome, k) => {
    const bar = svgElement('rect', { x: 14, width: WIDTH - 28, fill: color });
    const value = svgElement('text', { x: WIDTH / 2, 'text-anchor': 'middle', class: 'value' });
    const room = svgElement('rect', {
      class: 'room',
      x: 4,
      y: ABOVE,
      width: WIDTH - 8,
      height: HEIGHT,
      rx: 4,
    });
    const column = svgElement(
      'g',
      {
        role: 'slider',
        tabindex: 0,
        transform: `translate(${k * WIDTH} 0)`,
        'aria-label': `${name} of ${outcome}`,
        'aria-orientation': 'vertical',
        'aria-valuemin': 0,
        'aria-valuemax': WHOLE,
      },
      room,
      bar,
      value,
      svgElement('text', { x: WIDTH / 2, y: ABOVE + HEIGHT + 17, 'text-anchor': 'middle' }, outcome),
    );
    const follow = (event: PointerEvent): void => {
      const { bottom, height } = room.getBoundingClientRect();
      change(k, ((bottom - event.clientY) / height) * WHOLE);
    };
    column.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault(); // No text is selected on the way.
      column.focus({ preventScroll: true });
      column.setPointerCapture(event.pointerId);
      follow(event);
    });
    column.addEventListener('pointermove', (event) => {
      if (column.hasPointerCapture(event.pointerId)) follow(event);
    });
    column.addEventListener('keydown', (event) => {
      const step = KEYS[event.key];
      if (step === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      change(k, step(shares[k] as number));
    });
    return { column, bar, value };
  });

  const show = (): void => {
    for (const [k, { column, bar, value }] of columns.entries()) {
      const percent = shares[k] as number;
      const height = (percent / WHOLE) * HEIGHT;
      setAttributes(bar, { y: ABOVE + HEIGHT - height, height });
      setAttributes(value, { y: ABOVE + HEIGHT - height - 6 });
      value.textContent = `${percent} %`;
      setAttributes(column, { 'aria-valuenow': percent, 'aria-valuetext': `${percent} percent` });
    }
  };
  show();

  const drawing = svgElement(
    'svg',
    { viewBox: `0 0 ${WIDTH * outcomes.length} ${ABOVE + HEIGHT + BELOW}` },
    ...columns.map(({ column }) => column),
  );
  return {
    root: element(
      'div',
      { class: 'bars', role: 'group', 'aria-label': title },
      element('div', { class: 'bars-title', 'aria-hidden': 'true' }, title),
      drawing,
    ),
    set(given) {
      shares = given;
      base = { k: -1, shares };
      show();
    },
  };
}
