import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type CheckRow, leftToRun, readRows } from '../../bench/gpu/resume.js';

const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function row(check: string, ok: boolean): CheckRow {
  return { check, adapter: 'a', ok, ms: 1 };
}

test('what passed is not run again, and what failed comes last', () => {
  const before = [row('a', true), row('b', false), row('c', false), row('c', true)];
  expect(leftToRun(['a', 'b', 'c', 'd'], before)).toEqual(['d', 'b']);
  expect(leftToRun(['a', 'b'], [])).toEqual(['a', 'b']);
});

test('rows are read back, but for a line that was cut off', () => {
  const file = join(folder, 'rows.jsonl');
  expect(readRows(file)).toEqual([]);
  writeFileSync(file, `${JSON.stringify(row('a', true))}\n{"check":"b`);
  expect(readRows(file)).toEqual([row('a', true)]);
});

const script = fileURLToPath(new URL('../../bench/gpu/run.sh', import.meta.url));

/** run.sh outside of a pack: what it says of its arguments. */
function runScript(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('bash', [script, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

test.runIf(process.platform === 'linux')('run.sh refuses what it does not know', () => {
  for (const [args, words] of [
    [['--steps', 'bench'], /there is no step 'bench'.*bench-f32/],
    [['--seconds', '0'], /--seconds must be a whole number above 0/],
    [['--step-seconds', '1m'], /--step-seconds must be/],
    [['--out'], /--out needs a value/],
    [['--fast'], /unknown option --fast/],
  ] as const) {
    const { status, output } = runScript(...args);
    expect(output).toMatch(words);
    expect(status).toBe(2);
  }
  const { status, output } = runScript('--help');
  expect(status).toBe(0);
  expect(output).toMatch(/--adapter NAME/);
});

test.runIf(process.platform === 'linux')('run.sh ends with a failure where there is nothing to run', () => {
  const { status } = runScript('--out', join(folder, 'out'));
  expect(status).not.toBe(0);
});
