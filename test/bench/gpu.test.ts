import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type CheckRow, leftToRun, readRows } from '../../bench/gpu/resume.js';
import { type AnyShape, LARGE_LINEAR_SHAPES, LINEAR_SHAPES, SHAPES } from '../../bench/measure/cases.js';

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
  expect(output).toMatch(/linear-f32,linear-f16,linear-bf16/);
});

test.runIf(process.platform === 'linux')('run.sh ends with a failure where there is nothing to run', () => {
  const { status } = runScript('--out', join(folder, 'out'));
  expect(status).not.toBe(0);
});

const baseline = readFileSync(new URL('../../bench/gpu/torch_baseline.py', import.meta.url), 'utf8');

test.each<[string, readonly AnyShape[]]>([
  ['SHAPES', SHAPES],
  ['LINEAR_SHAPES', LINEAR_SHAPES],
  ['LARGE_LINEAR_SHAPES', LARGE_LINEAR_SHAPES],
])('the PyTorch baseline has the %s of the bench', (name, shapes) => {
  const [, list = ''] = new RegExp(`^${name} = \\[(.*)\\]$`, 'm').exec(baseline) ?? [];
  const own = [...list.matchAll(/\(([\d, ]+)\)/g)].map(([, sizes = '']) => sizes.split(', ').map(Number));
  expect(own).toEqual(shapes);
});

const python = spawnSync('python3', ['--version']);

test.runIf(python.status === 0)('the PyTorch baseline is Python', () => {
  const parse = 'import ast, sys; ast.parse(sys.stdin.read())';
  const { status, stderr } = spawnSync('python3', ['-c', parse], { input: baseline, encoding: 'utf8' });
  expect(status, stderr).toBe(0);
});
