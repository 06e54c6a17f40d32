// What was measured: a plot, a table, and JSON to take along.
import type { Row } from '../../bench/report/row.js';
import { button, element, field, statusLine } from '../dom.js';
import { legend, plotArea } from '../plot.js';
import { drawBandwidth, LEGEND } from './bandwidth.js';
import { tableOf } from './table.js';

export interface Results {
  readonly root: HTMLElement;
  /** Shows all that was measured in this run so far; the JSON is theirs. */
  show(rows: readonly Row[]): void;
}

/** Not to be seen before there are results. */
export function resultsView(): Results {
  const plot = plotArea();
  const table = element('div', { class: 'table', role: 'region', 'aria-label': 'Results', tabindex: 0 });
  const json = element('textarea', { readonly: true, rows: 5, spellcheck: 'false' });
  const copied = statusLine();
  const root = element(
    'div',
    { hidden: true },
    plot.root,
    legend(LEGEND),
    table,
    field('Results as JSON: a line for each, as npm run bench writes them', json),
    element(
      'div',
      { class: 'controls' },
      button('Copy JSON', () => copy(json, copied.say)),
    ),
    copied.root,
  );
  return {
    root,
    show(rows) {
      root.hidden = false;
      copied.say('');
      table.replaceChildren(tableOf(rows));
      drawBandwidth(plot, rows);
      json.value = rows.map((row) => JSON.stringify(row)).join('\n');
    },
  };
}

/** To the clipboard; where that is not allowed, the text is selected for the keyboard. */
async function copy(text: HTMLTextAreaElement, say: (said: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(text.value);
    say('The JSON is in the clipboard.');
  } catch {
    text.focus();
    text.select();
    say('The clipboard is not allowed here. The JSON is selected: copy it with Ctrl+C or ⌘C.');
  }
}
