// What a target tells the reporter at the end of its run: one JSON file a target in the folder of the run.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LedgerEntry } from '../support/ledger.js';
import type { TargetName } from './names.js';

export interface TargetReport {
  readonly target: TargetName;
  /** Why the target did not run, where it did not. */
  readonly missing?: string;
  /** What it ran on. */
  readonly adapter: string;
  readonly ledger: readonly LedgerEntry[];
}

function runFolder(): string {
  const folder = process.env['WEBGPU_LOSS_RUN_DIR'];
  if (!folder) {
    throw new Error(
      'WEBGPU_LOSS_RUN_DIR is not set: run the tests with the vitest.config.ts of this repository',
    );
  }
  return folder;
}

export function writeReport(report: TargetReport): void {
  mkdirSync(runFolder(), { recursive: true });
  writeFileSync(join(runFolder(), `${report.target}.json`), JSON.stringify(report));
}

export function readReports(): TargetReport[] {
  if (!existsSync(runFolder())) {
    return [];
  }
  return readdirSync(runFolder())
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(join(runFolder(), file), 'utf8')) as TargetReport);
}

export function removeReports(): void {
  rmSync(runFolder(), { recursive: true, force: true });
}
