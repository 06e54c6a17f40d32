import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { HELP } from '../../examples/bigram/options.js';
import { probeAdapter } from '../../scripts/adapters.js';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs what `npm start -- …args` runs, without the build. */
function start(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ['--import', 'tsx', '--import', './scripts/raw.js', 'examples/bigram/main.ts', ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { cwd: root }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const small = ['--vocab', '50', '--steps', '40'];

it('prints one JSON object that tells of a model at its floor', async () => {
  const { code, stdout, stderr } = await start('--backend', 'cpu', '--json', ...small);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ backend: 'cpu', steps: 40, reached: true, corpus: { vocabulary: 51 } });
  expect(report.crossEntropy - report.floor).toBeGreaterThan(0);
  expect(report.crossEntropy - report.floor).toBeLessThan(report.goal);
  expect(report.perplexity).toBeCloseTo(Math.exp(report.crossEntropy), 9);
  expect(report.oracle.rows).toBeGreaterThan(0);
  expect(report.sentences).toHaveLength(4);
}, 60_000);

it('draws the same sentences for the same seed', async () => {
  const draw = async (seed: string) =>
    JSON.parse((await start('--backend', 'cpu', '--json', ...small, '--seed', seed)).stdout).sentences;
  const [one, again, other] = await Promise.all([draw('1'), draw('1'), draw('2')]);
  expect(one).toEqual(again);
  expect(one).not.toEqual(other);
}, 60_000);

it('tells people the same, without control characters where there is no terminal', async () => {
  const { code, stdout } = await start('--backend', 'cpu', ...small);
  expect(code).toBe(0);
  for (const line of [
    'adapter',
    'cross-entropy',
    'floor',
    'divergence',
    'perplexity',
    'counting',
    'CPU oracle',
    'time',
  ]) {
    expect(stdout).toMatch(new RegExp(`^  ${line} `, 'm'));
  }
  expect(stdout).toMatch(/step\s+40\/40/);
  expect(stdout).toContain('the counting solution is reached');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
}, 60_000);

it('says so when the steps were too few', async () => {
  const { code, stdout } = await start('--backend', 'cpu', '--vocab', '50', '--steps', '1');
  expect(code).toBe(0);
  expect(stdout).toContain('the counting solution is not yet reached');
}, 60_000);

it('prints its help', async () => {
  expect(await start('--help')).toEqual({ code: 0, stdout: `${HELP}\n`, stderr: '' });
}, 60_000);

it('refuses a bad value with a message and exit code 2', async () => {
  const { code, stdout, stderr } = await start('--vocab', 'many');
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain('--vocab must be a whole number from 1 to 8192, not "many"');
}, 60_000);

it('fails with exit code 1 when the adapter asked for is not there', async () => {
  const { code, stdout, stderr } = await start('--adapter', 'no-such-adapter');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^error: .*no-such-adapter/m);
}, 60_000);

it('trains on WebGPU where there is any adapter, hardware or from npm, without being asked', async () => {
  const [{ found }, noSwiftShader] = await Promise.all([probeAdapter(), whyNoSwiftShader()]);
  const hasGpu = (found !== undefined && !found.software) || noSwiftShader === undefined;
  const { code, stdout, stderr } = await start('--json', ...small);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ backend: hasGpu ? 'webgpu' : 'cpu', reached: true });
  // 50 logits of about 10: the float32 rounding of the loss is near 1e-6, that of a probability near 1e-7.
  expect(report.oracle.loss).toBeLessThan(1e-5);
  expect(report.oracle.gradient).toBeLessThan(1e-5);
}, 60_000);
