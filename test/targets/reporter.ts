// Prints, after the tests, what ran where, the worst error / bound of each quantity, and what did not run and why.
import { writeFileSync } from 'node:fs';
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';
import { targetNames } from './names.js';
import { readReports, removeReports, type TargetReport } from './report.js';

export class TargetReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const reports = readReports().sort(
      (a, b) => targetNames.indexOf(a.target) - targetNames.indexOf(b.target),
    );
    removeReports();
    process.stdout.write(formatReports(reports) + formatFailures(failuresOf(modules, errors)));
    const resultFile = process.env['WEBGPU_LOSS_RESULT'];
    if (resultFile) {
      const passed = modules.reduce((sum, { children }) => sum + [...children.allTests('passed')].length, 0);
      writeFileSync(resultFile, `${passed} passed, ${failuresOf(modules, errors).length} failed\n`);
    }
  }
}

/** What failed, and why. */
export interface Failure {
  readonly where: string;
  readonly message: string;
}

/** A file that fails outside its tests, and an error outside all files, are one failure each. */
function failuresOf(modules: readonly TestModule[], errors: readonly SerializedError[]): readonly Failure[] {
  const failure = (where: string, error: { readonly message: string } | undefined): Failure => ({
    where,
    message: error?.message ?? '',
  });
  return [
    ...modules.flatMap((module) => {
      const file = `${module.project.name} ${module.relativeModuleId}`;
      return [
        ...[...module.children.allTests('failed')].map((test) =>
          failure(`${file} > ${test.fullName}`, test.result().errors?.[0]),
        ),
        ...module.errors().map((error) => failure(file, error)),
      ];
    }),
    ...errors.map((error) => failure('outside all files', error)),
  ];
}

/** Once more at the very end, where the last lines of a long log are all that some people get to see. */
export function formatFailures(failures: readonly Failure[]): string {
  if (failures.length === 0) return '';
  const lines = failures.map(({ where, message }) => `   ${where}: ${message.split('\n', 1)[0]}`);
  return `${[' Failed', ...lines].join('\n')}\n\n`;
}

/** The table of worst error / bound, and the lists of targets that ran and that did not. */
export function formatReports(reports: readonly TargetReport[]): string {
  const ran = reports.filter((report) => report.missing === undefined);
  const lines: string[] = [];
  if (ran.length > 0) {
    lines.push('', ' Ran on');
    for (const { target, adapter } of ran) {
      lines.push(`   ${target.padEnd(26)}${adapter}`);
    }
    lines.push(...formatLedgers(ran));
  }
  const missing = reports.filter((report) => report.missing !== undefined);
  if (missing.length > 0) {
    lines.push('', ' Not run');
    for (const report of missing) {
      lines.push(`   ${report.target.padEnd(26)}${report.missing?.replaceAll(/\s+/g, ' ')}`);
    }
  }
  return lines.length > 0 ? `${lines.join('\n')}\n\n` : '';
}

const columnWidth = (target: string) => Math.max(target.length, '0.000'.length);

function formatLedgers(reports: readonly TargetReport[]): string[] {
  const quantities = [
    ...new Set(reports.flatMap(({ ledger }) => ledger.map((entry) => entry.quantity))),
  ].sort();
  if (quantities.length === 0) {
    return [];
  }
  const widest = Math.max(...quantities.map((quantity) => quantity.length)) + 2;
  const rows = quantities.map((quantity) => {
    const entries = reports.map(({ ledger }) => ledger.find((entry) => entry.quantity === quantity));
    const cells = reports.map(({ target }, i) =>
      (entries[i]?.worst.toFixed(3) ?? '-').padStart(columnWidth(target)),
    );
    const count = entries.reduce((total, entry) => total + (entry?.count ?? 0), 0);
    const worst = entries.reduce((a, b) => ((b?.worst ?? -1) > (a?.worst ?? -1) ? b : a));
    return `   ${quantity.padEnd(widest)}${cells.join('  ')}  ${String(count).padStart(10)}  ${worst?.where ?? ''}`;
  });
  const columns = reports.map(({ target }) => target.padStart(columnWidth(target)));
  const head = `   ${''.padEnd(widest)}${columns.join('  ')}  ${'compared'.padStart(10)}  worst at`;
  return ['', ' Worst error / bound (1 is the limit)', head, ...rows];
}
