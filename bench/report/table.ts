import Table from 'cli-table3';
import { isDifferent, type Quantiles } from '../measure/quantiles.js';
import type { Row } from './row.js';

/** What others are compared with; they have columns, not lines. */
const YARDSTICKS: readonly string[] = ['copy', 'naive-64', 'naive-256'];

/** A table for each adapter and version, in the order of the rows. */
export function formatTables(rows: readonly Row[]): string {
  const headings = [...new Set(rows.map(headingOf))];
  return headings
    .map((heading) => `${heading}\n${tableOf(rows.filter((row) => headingOf(row) === heading))}`)
    .join('\n\n');
}

function headingOf({ adapter, versions, seed }: Row): string {
  const { name, description, device, subgroupMinSize, subgroupMaxSize } = adapter;
  const subgroups = subgroupMaxSize > 0 ? `, subgroups of ${subgroupMinSize} to ${subgroupMaxSize}` : '';
  const software = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  return [
    `${name}: ${description || device || adapter.backend}${subgroups}`,
    `  ${software.join(', ')}; seed ${seed}`,
  ].join('\n');
}

function tableOf(rows: readonly Row[]): string {
  const named = new Set(rows.flatMap(({ timing }) => Object.keys(timing?.ratios ?? {})));
  const yardsticks = YARDSTICKS.filter((name) => named.has(name));
  const subjects = rows.filter(({ contender }) => !YARDSTICKS.includes(contender));
  // Revisions; the policies of one revision are lines of their own.
  const rivals = [...new Set(subjects.map(({ contender }) => contender))].filter((name) =>
    name.includes('@'),
  );
  const table = new Table({
    head: [
      'op',
      'rows x classes',
      'dtype',
      'contender',
      'ms',
      'middle half',
      'GB/s',
      ...yardsticks.map((name) => (name === 'copy' ? 'of copy' : `x ${name}`)),
      ...rivals.map((name) => `x ${name}`),
      'first ms',
      'encode us',
      'error/bound',
    ],
    style: { head: [], border: [], compact: true },
    colAligns: [
      'left',
      'right',
      'left',
      'left',
      'right',
      'right',
      'right',
      ...[...yardsticks, ...rivals, 1, 1, 1].map(() => 'right' as const),
    ],
  });
  for (const row of subjects) {
    const { timing } = row;
    const head = [row.op, `${row.rows} x ${row.classes}`, row.dtype, row.contender];
    if (timing === undefined) {
      table.push([
        ...head,
        {
          colSpan: 6 + yardsticks.length + rivals.length,
          content: row.wrong === undefined ? `left out: ${row.leftOut}` : `wrong: ${row.wrong}`,
        },
      ]);
      continue;
    }
    const { ms, ratios } = timing;
    table.push([
      ...head,
      digits(ms.median),
      `${digits(ms.p25)} - ${digits(ms.p75)}`,
      digits(row.gigabytesPerSecond),
      ...yardsticks.map((name) => digits(ratios[name]?.median)),
      ...rivals.map((name) => comparison(ratios[name])),
      digits(row.firstCallMs),
      digits(row.encodeUs),
      digits(row.errorOverBound),
    ]);
  }
  return table.toString();
}

/** A ratio, if its middle half leaves no doubt that there is a difference. */
export function comparison(ratio: Quantiles | undefined): string {
  if (ratio === undefined) return '';
  const spread = `${digits(ratio.p25)} - ${digits(ratio.p75)}`;
  return isDifferent(ratio) ? `${digits(ratio.median)} (${spread})` : `no difference (${spread})`;
}

/** Three digits that count. */
function digits(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
