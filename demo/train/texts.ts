import { element } from '../dom.js';
import { count } from '../format.js';

export interface TextList {
  readonly root: HTMLElement;
  /** The newest one comes first. */
  add(step: number, text: string): void;
  /** Takes away what is newer than `step`. */
  rewind(step: number): void;
  clear(): void;
}

/** What the model wrote, step by step, in a box that scrolls by keys too. Not read out by itself: it changes all the time. */
export function textList(): TextList {
  const root = element('div', {
    class: 'texts',
    role: 'region',
    tabindex: 0,
    'aria-label': 'What the model writes',
  });
  let lines: { readonly step: number; readonly line: HTMLElement }[] = [];
  return {
    root,
    add(step, text) {
      const line = element('p', {}, element('b', {}, `step ${count(step)}`), ' ', text || '(nothing)');
      lines.push({ step, line });
      root.prepend(line);
    },
    rewind(step) {
      for (const each of lines) if (each.step > step) each.line.remove();
      lines = lines.filter((each) => each.step <= step);
    },
    clear() {
      lines = [];
      root.replaceChildren();
    },
  };
}
