import type { Choice } from '../backend.js';
import { element } from '../dom.js';

/** The panel *Train*: not there yet. */
export function mountTrain(root: HTMLElement, _choice: Choice): void {
  root.append(element('p', {}, 'This panel is being written.'));
}
