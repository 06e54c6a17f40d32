import { appendFileSync } from 'node:fs';
import type { CallFigures } from './calls.js';
import type { EncodeFigures } from './encode.js';
import type { Figures } from './time.js';

/** Where and with what the figures were taken. */
export interface Setting {
  readonly adapter: string;
  readonly node: string;
  readonly date: string;
}

export type HostRow = Setting & { readonly name: string } & (
    | ({ readonly kind: 'encode' } & EncodeFigures)
    | ({ readonly kind: 'call' } & Omit<CallFigures, 'name'>)
  );

/** The columns of a step, medians in microseconds. */
const STEP_COLUMNS = {
  pass: 'pass',
  floor: 'pass, WebGPU alone',
  own: 'own part',
  twoSets: 'two sets',
  parts: 'parts',
  encoder: 'encoder',
  encoderFloor: 'encoder, WebGPU alone',
} as const satisfies Partial<Record<keyof EncodeFigures, string>>;

/** Tables for people. */
export function printRows(rows: readonly HostRow[]): void {
  const steps = rows.filter((row) => row.kind === 'encode');
  if (steps.length > 0) {
    console.log('\nplan.encode, µs (median); planning in ms');
    console.table(
      Object.fromEntries(
        steps.map((row) => [
          row.name,
          {
            dispatches: row.dispatches,
            ...Object.fromEntries(
              Object.entries(STEP_COLUMNS).map(([key, title]) => [title, round(row[key as 'pass'])]),
            ),
            'first step': Number(row.firstUs.toFixed(0)),
            'plan, ms': Number(row.planMs.toFixed(1)),
          },
        ]),
      ),
    );
  }
  const calls = rows.filter((row) => row.kind === 'call');
  if (calls.length > 0) {
    console.log('\nCalls, until their promise resolves, µs');
    console.table(
      Object.fromEntries(
        calls.map(({ name, call }) => [name, { median: round(call), p99: Number(call.p99.toFixed(0)) }]),
      ),
    );
  }
}

/** JSON lines for machines. */
export function appendRows(file: string, rows: readonly HostRow[]): void {
  appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

function round({ p50 }: Figures): number {
  return Number(p50.toFixed(1));
}
