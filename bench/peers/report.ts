// The tables for people.
import Table from 'cli-table3';
import { shapeOfCase } from '../measure/cases.js';
import { isDifferent, type Quantiles } from '../measure/quantiles.js';
import { isLinear } from '../measure/tensors.js';
import { digits, spreadOf, withSpread } from '../report/figures.js';
import type { Row } from '../report/row.js';
import { untimed } from '../report/untimed.js';
import { bestOf, type Finding, type Goal, judge } from './goals.js';
import { contendersOf } from './roles.js';

const PLAIN = { style: { head: [], border: [], compact: true } };

/** All of it: every contender in every case, the ratios that matter, and which goals are reached. */
export function formatReport(rows: readonly Row[]): string {
  const places = [...new Set(rows.map(headingOf))];
  const tables = places.flatMap((heading) => {
    const there = rows.filter((row) => headingOf(row) === heading);
    return [heading, timesTable(there), ratiosTable(there), layersTable(there)].filter((text) => text !== '');
  });
  return [...tables, goalsTable(judge(rows))].join('\n');
}

function headingOf({ adapter, versions, seed }: Row): string {
  const software = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  // Browsers keep the description to themselves.
  const device = adapter.description || `${adapter.vendor} ${adapter.architecture}`;
  return `\n${adapter.name}: ${device}\n  ${software.join(', ')}; seed ${seed}`;
}

/** The rows of each case, in the order in which the cases came. */
function byCase(rows: readonly Row[]): readonly (readonly Row[])[] {
  const cases = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.op} ${shapeOfCase(row).join(' x ')}`;
    cases.set(key, [...(cases.get(key) ?? []), row]);
  }
  return [...cases.values()];
}

function timesTable(rows: readonly Row[]): string {
  const table = new Table({
    head: ['op', 'shape', 'contender', 'ms', 'middle half', 'x our time', 'error/bound'],
    colAligns: ['left', 'right', 'left', 'right', 'right', 'right', 'right'],
    ...PLAIN,
  });
  for (const [k, each] of byCase(rows).entries()) {
    for (const [j, row] of each.entries()) {
      const { op, contender, timing, errorOverBound } = row;
      const head = j === 0 ? [op, shapeOfCase(row).join(' x '), contender] : ['', '', contender];
      if (timing === undefined) {
        table.push([...head, { colSpan: 4, content: brief(untimed(row)) }]);
        continue;
      }
      const { ms, ratios } = timing;
      table.push([
        ...head,
        digits(ms.median),
        spreadOf(ms),
        ratios['ours'] ? digits(1 / ratios['ours'].median) : '',
        errorOverBound === undefined
          ? ''
          : `${digits(errorOverBound)}${errorOverBound > 1 ? ' inexact' : ''}`,
      ]);
    }
    if (k < byCase(rows).length - 1) table.push(Array<string>(7).fill(''));
  }
  return table.toString();
}

/** How many times as fast this library is as those that matter. */
function ratiosTable(rows: readonly Row[]): string {
  const table = new Table({
    head: ['op', 'rows x classes', 'ours, ms', 'x naive-64', 'x best peer', '', 'x formula', '', 'of copy'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left', 'right', 'left', 'right'],
    ...PLAIN,
  });
  const ofLogits = rows.filter(({ op }) => !isLinear(op));
  if (ofLogits.length === 0) return '';
  for (const each of byCase(ofLogits)) {
    const ours = each.find(({ contender }) => contender === 'ours');
    if (ours?.timing === undefined) continue;
    const { ms, ratios } = ours.timing;
    const cells = (names: readonly string[]): [string, string] => {
      const best = bestOf(ratios, names);
      return best ? [comparison(best[1]), best[0]] : ['', ''];
    };
    table.push([
      ours.op,
      `${ours.rows} x ${ours.classes}`,
      digits(ms.median),
      ratios['naive-64'] ? comparison(ratios['naive-64']) : '',
      ...cells(contendersOf('peer')),
      ...cells(contendersOf('formula')),
      ratios['copy'] ? digits(ratios['copy'].median) : '',
    ]);
  }
  return table.toString();
}

/** The same for linear layers, whose rivals are others, and whose memory matters. */
function layersTable(rows: readonly Row[]): string {
  const rivals = ['naive-8x8', 'tiled-16x16', ...contendersOf('peer'), 'materialised'];
  const table = new Table({
    head: [
      ...['op', 'rows x features x classes', 'contender', 'ms', 'GFLOP/s'],
      ...rivals.map((name) => `x ${name}`),
      'scratch MiB',
    ],
    colAligns: ['left', 'right', 'left', ...Array<'right'>(rivals.length + 3).fill('right')],
    ...PLAIN,
  });
  const own = contendersOf('ours');
  const ofLayers = rows.filter(({ op, contender }) => isLinear(op) && own.includes(contender));
  for (const row of ofLayers) {
    const { op, contender, timing, gigaflopsPerSecond = 0, scratchBytes } = row;
    if (timing === undefined) continue;
    table.push([
      ...[op, shapeOfCase(row).join(' x '), contender, digits(timing.ms.median), digits(gigaflopsPerSecond)],
      ...rivals.map((name) => (timing.ratios[name] ? comparison(timing.ratios[name]) : '')),
      scratchBytes === undefined ? '' : digits(scratchBytes / 2 ** 20),
    ]);
  }
  return table.length === 0 ? '' : table.toString();
}

/** The goals that something was measured for, and a word on the others. */
function goalsTable(findings: readonly Finding[]): string {
  const table = new Table({
    head: ['where', 'op', 'shape', 'goal', 'found', 'rival', '', 'what limits it'],
    colAligns: ['left', 'left', 'right', 'right', 'right', 'left', 'left', 'left'],
    ...PLAIN,
  });
  for (const { goal, op, shape, found, limits } of findings) {
    const subject = goal.who === 'ours-chunked' ? `${op}, chunked` : op;
    const head = [goal.where, subject, shape.join(' x '), wantedOf(goal)];
    if (found === undefined) continue;
    const parts = limits.map(
      ({ name, share, timesRival }) =>
        `${name} ${percent(share)} of our time, ${digits(timesRival)} x the rival`,
    );
    table.push([
      ...head,
      comparison(found.ratio),
      found.rival,
      found.reached ? 'reached' : 'NOT reached',
      parts.join('\n'),
    ]);
  }
  const measured = findings.filter(({ found }) => found !== undefined);
  const reached = measured.filter(({ found }) => found?.reached).length;
  const counts = `${reached} of ${measured.length} goals reached; ${findings.length - measured.length} not measured`;
  return `\n${table}\n${counts}`;
}

function wantedOf({ times, rival }: Goal): string {
  if (times === 1) return `faster than ${rival}`;
  return times < 1 ? `at most ${digits(1 / times)} x the time of ${rival}` : `${times} x ${rival}`;
}

/** A ratio, in doubt where its middle half does not leave out 1. */
export function comparison(ratio: Quantiles): string {
  return `${withSpread(ratio)}${isDifferent(ratio) ? '' : ' ?'}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** The first line of a message, not all of a shader. */
function brief(message: string): string {
  return (message.split('\n')[0] as string).slice(0, 90);
}
