import Table from 'cli-table3';
import type { Outcome } from '../measure/benchCase.js';
import type { Case } from '../measure/contender.js';
import type { Quantiles } from '../measure/quantiles.js';
import { digits, spreadOf, withSpread } from '../report/figures.js';
import { untimed } from '../report/untimed.js';

/** What came of a case. */
export interface CaseReport {
  readonly of: Case;
  /** What ours computed on: in WebAssembly or in JavaScript. */
  readonly adapter: string;
  readonly outcomes: readonly Outcome[];
}

/** At least so many times as fast as tfjs-cpu, at most so many times the time of tfjs-wasm. */
export const GOALS = { cpu: 10, wasm: 3 } as const;

/** How long `own` takes for each millisecond of the quickest of the contenders whose names begin with `peer`. */
export function timeAgainst(outcomes: readonly Outcome[], own: string, peer: string): Quantiles | undefined {
  const ratios = outcomes
    .filter(({ contender, timing }) => contender.startsWith(peer) && timing?.ratios[own] !== undefined)
    .map(({ timing }) => timing?.ratios[own] as Quantiles);
  // The ratio of a peer is our time / its time: the largest is of the quickest.
  return ratios.sort((a, b) => b.median - a.median)[0];
}

/** One line a contender, and how ours compares. */
export function formatReport(reports: readonly CaseReport[]): string {
  const table = new Table({
    head: ['op', 'rows x classes', 'contender', 'ms', 'middle half', 'ns/element', 'error/bound'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'left', 'right', 'right', 'right', 'right'],
  });
  for (const { of, outcomes } of reports) {
    for (const outcome of outcomes) {
      const { contender, timing, errorOverBound } = outcome;
      const head = [of.op, `${of.rows} x ${of.classes}`, contender];
      if (timing === undefined) {
        table.push([...head, { colSpan: 4, content: untimed(outcome) }]);
        continue;
      }
      const { median } = timing.ms;
      const perElement = (median * 1e6) / (of.rows * of.classes);
      table.push([...head, digits(median), spreadOf(timing.ms), digits(perElement), digits(errorOverBound)]);
    }
  }
  const adapters = [...new Set(reports.map(({ adapter }) => adapter))];
  return `ours: ${adapters.join(', ')}\n${table.toString()}\n\n${formatGoals(reports)}`;
}

/** How many times as long ours takes as tfjs, and whether that is what was asked for. */
export function formatGoals(reports: readonly CaseReport[]): string {
  const table = new Table({
    head: ['op', 'rows x classes', 'x as fast as tfjs-cpu', 'x the time of tfjs-wasm', 'by calls', 'goal'],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'right', 'left'],
  });
  for (const { of, outcomes } of reports) {
    const cpu = timeAgainst(outcomes, 'ours', 'tfjs-cpu');
    const wasm = timeAgainst(outcomes, 'ours', 'tfjs-wasm');
    const calls = timeAgainst(outcomes, 'ours, by calls', 'tfjs-wasm');
    table.push([
      of.op,
      `${of.rows} x ${of.classes}`,
      cpu === undefined ? '' : digits(1 / cpu.median),
      withSpread(wasm),
      withSpread(calls),
      verdict(cpu, wasm),
    ]);
  }
  return table.toString();
}

function verdict(cpu: Quantiles | undefined, wasm: Quantiles | undefined): string {
  if (cpu === undefined || wasm === undefined) return 'not measured';
  const missed = [
    ...(1 / cpu.median >= GOALS.cpu ? [] : [`${GOALS.cpu} x tfjs-cpu`]),
    ...(wasm.median <= GOALS.wasm ? [] : [`${GOALS.wasm} x the time of tfjs-wasm`]),
  ];
  return missed.length === 0 ? 'reached' : `missed: ${missed.join(', ')}`;
}
