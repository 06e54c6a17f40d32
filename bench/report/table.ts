import Table from 'cli-table3';
import { shapeOfCase } from '../measure/cases.js';
import { isDifferent, type Quantiles } from '../measure/quantiles.js';
import { isLinear } from '../measure/tensors.js';
import { digits, spreadOf, withSpread } from './figures.js';
import type { Row } from './row.js';
import { untimed } from './untimed.js';

/** What others are compared with; they have columns, not lines. */
const YARDSTICKS: readonly string[] = ['copy', 'naive-64', 'naive-256'];

/** What linearCrossEntropy is compared with, and has a line of its own as well: its memory matters. */
const MATERIALISED = 'materialised';

/** Tables for each adapter and version, in the order of the rows. */
export function formatTables(rows: readonly Row[]): string {
  const headings = [...new Set(rows.map(headingOf))];
  return headings
    .map((heading) => `${heading}\n${tablesOf(rows.filter((row) => headingOf(row) === heading))}`)
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

/** What begins with logits, and what makes them by products, which has its time, its memory and its rival to be judged by. */
function tablesOf(rows: readonly Row[]): string {
  const linear = rows.filter(({ op }) => isLinear(op));
  return [rows.filter(({ op }) => !isLinear(op)), linear]
    .filter((each) => each.length > 0)
    .map((each) => tableOf(each, each === linear))
    .join('\n');
}

/** What a column says of a row that was timed. */
interface Column {
  readonly head: string;
  readonly cell: (row: TimedRow) => string;
}

type TimedRow = Row & { readonly timing: NonNullable<Row['timing']> };

function tableOf(rows: readonly Row[], linear: boolean): string {
  const columns = columnsOf(rows, linear);
  const table = new Table({
    head: [
      'op',
      linear ? 'rows x features x classes' : 'rows x classes',
      'dtype',
      'contender',
      ...columns.map(({ head }) => head),
    ],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'left', 'left', ...columns.map(() => 'right' as const)],
  });
  for (const row of rows.filter(({ contender }) => !YARDSTICKS.includes(contender))) {
    const head = [row.op, shapeOfCase(row).join(' x '), row.dtype, row.contender];
    table.push(
      isTimed(row)
        ? [...head, ...columns.map(({ cell }) => cell(row))]
        : [...head, { colSpan: columns.length, content: untimed(row) }],
    );
  }
  return table.toString();
}

function isTimed(row: Row): row is TimedRow {
  return row.timing !== undefined;
}

function columnsOf(rows: readonly Row[], linear: boolean): readonly Column[] {
  const named = new Set(rows.flatMap(({ timing }) => Object.keys(timing?.ratios ?? {})));
  const yardsticks = YARDSTICKS.filter((name) => named.has(name));
  // Revisions; the policies of one revision are lines of their own.
  const rivals = [...new Set(rows.map(({ contender }) => contender))].filter(
    (name) => name.includes('@') || name === MATERIALISED,
  );
  return [
    { head: 'ms', cell: ({ timing }) => digits(timing.ms.median) },
    { head: 'middle half', cell: ({ timing }) => spreadOf(timing.ms) },
    linear
      ? { head: 'GFLOP/s', cell: (row) => digits(row.gigaflopsPerSecond) }
      : { head: 'GB/s', cell: (row) => digits(row.gigabytesPerSecond) },
    ...yardsticks.map((name) => ({
      head: name === 'copy' ? 'of copy' : `x ${name}`,
      cell: ({ timing }: TimedRow) => digits(timing.ratios[name]?.median),
    })),
    ...rivals.map((name) => ({
      head: `x ${name}`,
      cell: ({ timing }: TimedRow) => comparison(timing.ratios[name]),
    })),
    ...(linear && rows.some(({ scratchBytes }) => scratchBytes !== undefined)
      ? [{ head: 'scratch MiB', cell: (row: TimedRow) => mebibytes(row.scratchBytes) }]
      : []),
    ...(rows.some(({ peakBytes }) => peakBytes !== undefined)
      ? [{ head: 'peak MiB', cell: (row: TimedRow) => mebibytes(row.peakBytes) }]
      : []),
    { head: 'first ms', cell: (row) => digits(row.firstCallMs) },
    { head: 'encode us', cell: (row) => digits(row.encodeUs) },
    { head: 'error/bound', cell: (row) => digits(row.errorOverBound) },
  ];
}

/** A ratio, if its middle half leaves no doubt that there is a difference. */
export function comparison(ratio: Quantiles | undefined): string {
  if (ratio === undefined) return '';
  return isDifferent(ratio) ? withSpread(ratio) : `no difference (${spreadOf(ratio)})`;
}

function mebibytes(bytes: number | undefined): string {
  return bytes === undefined ? '' : digits(bytes / 2 ** 20);
}
