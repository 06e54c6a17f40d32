// What was measured, as a table.
import type { Row } from '../../bench/report/row.js';
import { element } from '../dom.js';
import { count, digits } from '../format.js';
import { COPY_OF, CPU } from './contenders.js';

const HEAD = [
  'rows × classes',
  'on',
  'ms',
  'GB/s',
  'of its copy',
  'as fast as the CPU',
  'error / bound',
] as const;

/** The copies have no lines: they are what the others are compared with. */
export function tableOf(rows: readonly Row[]): HTMLTableElement {
  const subjects = rows.filter(({ contender }) => contender in COPY_OF);
  return element(
    'table',
    {},
    element('caption', {}, 'Medians, on the same data in turn'),
    element('thead', {}, element('tr', {}, ...HEAD.map((name) => element('th', { scope: 'col' }, name)))),
    element('tbody', {}, ...subjects.map(lineOf)),
  );
}

function lineOf(row: Row): HTMLTableRowElement {
  const { rows, classes, contender, timing, wrong, leftOut, gigabytesPerSecond = 0, errorOverBound } = row;
  const shape = element('th', { scope: 'row' }, `${count(rows)} × ${count(classes)}`);
  const on = element('td', {}, contender);
  if (timing === undefined) {
    const why = wrong === undefined ? `not timed: ${leftOut}` : `wrong, so not timed: ${wrong}`;
    return element('tr', {}, shape, on, element('td', { class: 'why', colspan: HEAD.length - 2 }, why));
  }
  const ofCopy = timing.ratios[COPY_OF[contender] as string];
  const ofCpu = timing.ratios[CPU];
  const cells = [
    digits(timing.ms.median),
    digits(gigabytesPerSecond),
    ofCopy ? `${digits(100 * ofCopy.median)} %` : '–',
    ofCpu ? `${digits(ofCpu.median)} ×` : '–',
    errorOverBound === undefined ? '–' : digits(errorOverBound),
  ];
  return element('tr', {}, shape, on, ...cells.map((text) => element('td', {}, text)));
}
