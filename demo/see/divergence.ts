// Two distributions to drag, and how entropy and divergence add up to the cross-entropy.
import { button, element, figureList, formula } from '../dom.js';
import { nats } from '../format.js';
import { COLORS, plotArea } from '../plot.js';
import { bars } from './bars.js';
import { latest } from './latest.js';
import type { Part } from './part.js';
import { type Comparison, compare } from './quantities.js';
import { apportion, type Shares, WHOLE, withShare } from './shares.js';
import { drawSum } from './sumPlot.js';

const OUTCOMES = ['sun', 'clouds', 'rain', 'snow'] as const;
const EVEN: Shares = apportion([1, 1, 1, 1], WHOLE);
const FIRST = { p: [50, 25, 20, 5], q: EVEN } as const;

export const mountDivergence: Part = (root, context, report) => {
  let p: Shares = FIRST.p;
  let q: Shares = FIRST.q;
  const plot = plotArea(160);
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
    drawSum(plot, found);
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
      button('Let q be even', () => set(p, EVEN)),
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
