// What an earlier call has left, so that a call that was cut off is gone on with.
import { existsSync, readFileSync } from 'node:fs';

/** The outcome of a check, a line of JSON. */
export interface CheckRow {
  readonly check: string;
  readonly adapter: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly error?: string;
}

/** The rows in a file; none where there is no file. */
export function readRows(file: string): readonly CheckRow[] {
  if (!existsSync(file)) return [];
  // A line that an interrupted call left unfinished is no row.
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as CheckRow);
}

/** Those never tried come first: one that brings the process down must not keep them from running. */
export function leftToRun(names: readonly string[], before: readonly CheckRow[]): readonly string[] {
  const passed = new Set(before.filter(({ ok }) => ok).map(({ check }) => check));
  const failed = new Set(before.filter(({ ok }) => !ok).map(({ check }) => check));
  const left = names.filter((name) => !passed.has(name));
  return [...left.filter((name) => !failed.has(name)), ...left.filter((name) => failed.has(name))];
}
