// Two distributions to drag, and how entropy and divergence add up to the cross-entropy.
import * as Plot from '@observablehq/plot';
import { button, element, figureList, formula } from '../dom.js';
import { fixed, nats } from '../format.js';
import { COLORS, plotArea } from '../plot.js';
import { bars } from './bars.js';
import { latest } from './latest.js';
import type { Part } from './part.js';
import { type Comparison, compare } from './quantities.js';
import { apportion, type Shares, WHOLE, withShare } from './shares.js';

const OUTCOMES = ['sun', 'clouds', 'rain', 'snow'] as const;
const FIRST = { p: [50, 25, 20, 5], q: [25, 25, 25, 25] } as const;

const SUM = 'H(p) + D(p‖q)';
const WHOLE_BAR = 'H(p, q)';
/** What the bars have room for, in nats: more than the cross-entropy of all but extreme beliefs. */
const ROOM = 2.5;

export const mountDivergence: Part = (root, context, report) => {
  let p: Shares = FIRST.p;
  let q: Shares = FIRST.q;
  const plot = plotArea();
  const figures = figureList({
    entropy: 'H(p), the entropy',
    divergence: 'D(p‖q), the divergence',
    crossEntropy: 'H(p, q), the cross-entropy',
  });
  const infinite = element('p', { class: 'status', role: 'status' });

  const update = latest(async () => {
    const asked = { p, q };
    const comparison = await context.use((current) =>
      compare(
        current,
        asked.p.map((percent) => percent / WHOLE),
        asked.q.map((percent) => percent / WHOLE),
      ),
    );
    show(comparison, impossible(asked.p, asked.q));
  }, report);

  const truth = bars({
    name: 'p',
    title: 'p: how often the weather is so',
    outcomes: OUTCOMES,
    shares: p,
    color: COLORS[2],
    onChange(shares) {
      p = shares;
      update();
    },
  });
  const belief = bars({
    name: 'q',
    title: 'q: how often the forecast says so',
    outcomes: OUTCOMES,
    shares: q,
    color: COLORS[0],
    onChange(shares) {
      q = shares;
      update();
    },
  });
  const set = (nextP: Shares, nextQ: Shares): void => {
    p = nextP;
    q = nextQ;
    truth.set(p);
    belief.set(q);
    update();
  };

  const show = (found: Comparison, names: readonly string[]): void => {
    figures.set({
      entropy: nats(found.entropy),
      divergence: nats(found.divergence),
      crossEntropy: nats(found.crossEntropy),
    });
    const words =
      names.length === 0
        ? ''
        : `The forecast says that there is never ${names.join(' or ')}, and yet there is: q is 0 where p is not. ` +
          'The surprise at what was called impossible is infinite, so are H(p, q) and D(p‖q).';
    if (infinite.textContent !== words) infinite.textContent = words;
    drawSum(found);
  };

  const drawSum = ({ entropy, crossEntropy, divergence }: Comparison): void => {
    const isInfinite = crossEntropy === Number.POSITIVE_INFINITY;
    const room = isInfinite ? ROOM : Math.max(ROOM, crossEntropy * 1.05);
    const end = (value: number): number => Math.min(value, room);
    const segments = [
      { bar: SUM, part: 'H(p)', from: 0, to: entropy, color: COLORS[2] },
      { bar: SUM, part: 'D(p‖q)', from: entropy, to: end(entropy + divergence), color: COLORS[1] },
      { bar: WHOLE_BAR, part: 'H(p, q)', from: 0, to: end(crossEntropy), color: COLORS[3] },
    ].filter(({ from, to }) => to > from);
    plot.draw(
      {
        height: 160,
        marginLeft: 96,
        x: { domain: [0, room], label: 'nats', grid: true },
        y: { domain: [SUM, WHOLE_BAR], label: null, tickSize: 0 },
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
                Plot.text([SUM, WHOLE_BAR], {
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
  };

  root.append(
    element('h3', {}, 'Entropy, cross-entropy, divergence'),
    element(
      'p',
      {},
      'p is how often the weather is of each kind, q how often the forecast says so. ',
      formula('H(p) = −Σ p log p'),
      ' is the mean surprise of who knows p, ',
      formula('H(p, q) = −Σ p log q'),
      ' that of who believes q. The difference is the price of the belief, the divergence ',
      formula('D(p‖q) = Σ p log (p / q)'),
      ': never below 0, and 0 only where q = p. So ',
      element('strong', {}, formula('H(p, q) = H(p) + D(p‖q)')),
      '. To train a model q is to lower H(p, q), of which H(p) is the data’s own and stays. (Where the library speaks of targets q and of a model p, it is the other way round.)',
    ),
    element(
      'p',
      {},
      'Drag the bars, or go to one with Tab and press the arrow keys; the others make room. Swap p and q, and see that D(q‖p) is another number.',
    ),
    element('div', { class: 'pair' }, truth.root, belief.root),
    element(
      'div',
      { class: 'controls' },
      button('Let q be p', () => set(p, p)),
      button('Let q be even', () =>
        set(
          p,
          apportion(
            OUTCOMES.map(() => 1),
            WHOLE,
          ),
        ),
      ),
      button('Swap p and q', () => set(q, p)),
      button('Let q rule out snow', () => set(p, withShare(q, OUTCOMES.length - 1, 0))),
    ),
    plot.root,
    figures.root,
    infinite,
  );
  update();
};

/** What q has at 0 and p has not. */
function impossible(p: Shares, q: Shares): readonly string[] {
  return OUTCOMES.filter((_, k) => q[k] === 0 && p[k] !== 0);
}
