// The panel See: what the quantities mean, to touch.
import { type Choice, lastingContext } from '../backend.js';
import { element, statusLine } from '../dom.js';
import { mountCoin } from './coin.js';
import { mountDivergence } from './divergence.js';
import { mountLikelihood } from './likelihood.js';

const PARTS = [mountCoin, mountDivergence, mountLikelihood];

/** Mounts the panel below `root`. It opens a context of its own, and another one where its device is lost. */
export function mountSee(root: HTMLElement, choice: Choice): void {
  const status = statusLine();
  const context = lastingContext(choice, (said) => status.say(said));
  const report = (error: unknown): void => {
    status.say(
      `Something failed, and what is shown may be old: ${error instanceof Error ? error.message : error}`,
    );
  };
  root.append(
    element(
      'p',
      {},
      'What entropy, cross-entropy and divergence are, to touch. All logarithms are natural, all quantities in nats.',
    ),
    status.root,
  );
  for (const mount of PARTS) {
    const part = element('article');
    root.append(part);
    mount(part, context, report);
  }
}
