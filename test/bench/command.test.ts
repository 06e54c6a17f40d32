// The commands as they are run, but for the build: tiny shapes on the CPU and, where it is there, on SwiftShader.

import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { parseRows } from '../../bench/report/row.js';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function command(
  program: string,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const line = ['--import', 'tsx', '--import', './scripts/raw.js', program, ...args];
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      line,
      { cwd: root, maxBuffer: 2 ** 24 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const bench = (...args: string[]) => command('bench/main.ts', '--quick', ...args);
const software = (await whyNoSwiftShader()) === undefined ? ['swiftshader'] : [];

it('bench: measures on each adapter, keeps the rows, and renders them again', async () => {
  const out = join(folder, 'rows.jsonl');
  const adapters = ['cpu', ...software];
  const ops = 'softmax,crossEntropyGrad';
  const { code, stdout, stderr } = await bench(
    ...['--adapter', adapters.join(), '--op', ops, '--shape', '20x40,3x500', '--out', out],
    ...['--plots', folder, '--policy', 'strategy=row-per-workgroup'],
  );
  expect({ code, wrong: /wrong.*/.exec(stdout)?.[0] }, stderr).toEqual({ code: 0, wrong: undefined });

  const rows = parseRows(readFileSync(out, 'utf8'), out);
  for (const adapter of adapters) {
    const own = rows.filter((row) => row.adapter.name === adapter && row.rows === 3 && row.op === 'softmax');
    const contenders = ['ours', 'ours{strategy=row-per-workgroup}', 'copy'];
    if (adapter !== 'cpu') contenders.splice(2, 0, 'naive-64', 'naive-256');
    expect(own.map(({ contender }) => contender)).toEqual(contenders);
    for (const { contender, bytes, timing, versions } of own) {
      expect(bytes).toBe(2 * 3 * 500 * 4);
      expect(timing?.ms.median).toBeGreaterThan(0);
      expect(Object.keys(timing?.ratios ?? {})).toEqual(contenders.filter((name) => name !== contender));
      expect(versions['node']).toBe(process.version);
    }
    expect(own[0]?.passes?.length).toBe(adapter === 'cpu' ? 0 : 1);
    expect(own[0]?.errorOverBound).toBeGreaterThan(0);
  }
  expect(readdirSync(folder).filter((name) => name.endsWith('.svg'))).toContain('bandwidth-cpu.svg');

  const rendered = await command('bench/main.ts', '--render', out);
  expect(rendered).toMatchObject({ code: 0, stdout });
});

it('bench: measures linear layers beside the same with memory for all logits', async () => {
  const out = join(folder, 'layers.jsonl');
  const adapters = ['cpu', ...software];
  const { code, stdout, stderr } = await bench(
    ...['--adapter', adapters.join(), '--op', 'linearCrossEntropyGrad', '--shape', '20x12x1001'],
    ...['--out', out, '--plots', folder],
  );
  expect({ code, wrong: /wrong.*/.exec(stdout)?.[0] }, stderr).toEqual({ code: 0, wrong: undefined });
  const rows = parseRows(readFileSync(out, 'utf8'), out);
  expect(rows.filter(({ adapter }) => adapter.name === 'cpu').map(({ contender }) => contender)).toEqual([
    'ours',
    'copy',
  ]);
  for (const row of rows) {
    expect(row).toMatchObject({ rows: 20, features: 12, classes: 1001 });
    if (row.contender === 'copy') expect(row.flops).toBeUndefined();
    else expect(row).toMatchObject({ flops: 6 * 20 * 12 * 1001, gigaflopsPerSecond: expect.any(Number) });
  }
  expect(readdirSync(folder)).toContain('products-cpu.svg');
  if (software.length === 0) return;
  const onSwiftShader = rows.filter(({ adapter }) => adapter.name === 'swiftshader');
  expect(onSwiftShader.map(({ contender }) => contender)).toEqual([
    ...['ours', 'ours-chunked', 'materialised', 'ours-filtered', 'copy'],
  ]);
  const [, chunked, materialised] = onSwiftShader;
  const logits = 20 * 1004 * 4;
  expect(materialised?.scratchBytes).toBeGreaterThanOrEqual(logits);
  expect(chunked?.scratchBytes).toBeLessThan(0.7 * logits);
  expect(chunked?.timing?.ratios['materialised']?.median).toBeGreaterThan(0);
  expect(stdout).toContain('x materialised');
});

it('bench: sweeps over fewer elements where a processor does the work', async () => {
  const out = join(folder, 'sweep.jsonl');
  const args = ['--adapter', 'cpu', '--op', 'logSumExp', '--shape', 'sweep', '--out', out];
  const { code, stderr } = await bench(...args);
  expect(code, stderr).toBe(0);
  const rows = parseRows(readFileSync(out, 'utf8'), out);
  expect(new Set(rows.map((row) => row.rows * row.classes))).toEqual(new Set([2 ** 18]));
});

it('bench: prints JSON lines and nothing else where it is asked to', async () => {
  const out = join(folder, 'more.jsonl');
  const args = ['--adapter', 'cpu', '--op', 'entropy', '--shape', '2x3', '--json', '--out', out];
  const { stdout } = await bench(...args);
  expect(stdout).toBe(readFileSync(out, 'utf8'));
});

it('bench: --against measures another revision in turn, and leaves nothing behind', async () => {
  const out = join(folder, 'against.jsonl');
  const args = ['--adapter', 'cpu', '--op', 'softmax', '--shape', '20x40', '--against', 'HEAD'];
  const { code, stdout, stderr } = await bench(...args, '--out', out);
  expect(code, stderr).toBe(0);
  const rows = parseRows(readFileSync(out, 'utf8'), out);
  const [, rival = ''] = rows.map(({ contender }) => contender);
  expect(rival).toMatch(/^ours@[0-9a-f]{7,}$/);
  expect(rows[0]?.timing?.ratios[rival]?.median).toBeGreaterThan(0);
  expect(stdout).toContain(`x ${rival}`);
  const worktrees = execFileSync('git', ['worktree', 'list'], { cwd: root, encoding: 'utf8' });
  expect(worktrees).not.toContain('webgpu-loss-revision-');
});

// Each with its exit code and what it must say.
it.each([
  [['--adapter', 'no-such-adapter', '--op', 'softmax'], 1, 'no-such-adapter'],
  [['--adapter', 'cpu', '--policy', 'workgroupSize=3'], 1, 'policy.workgroupSize is 3'],
  [['--adapter', 'cpu', '--policy', 'speed=3'], 1, 'speed'],
  [['--against', 'no-such-revision'], 2, 'not "no-such-revision"'],
  [['--render', 'no-such-file'], 1, 'no-such-file'],
  [['--shape', 'x'], 2, '--help lists the options'],
  [
    ['--op', 'linearCrossEntropy', '--shape', '64x1000'],
    2,
    'needs ROWSxFEATURESxCLASSES, such as 256x256x8192',
  ],
] as const)('bench: %j ends with %d', async (args, code, message) => {
  const result = await bench(...args, '--out', join(folder, 'none.jsonl'));
  expect(result.code).toBe(code);
  expect(result.stderr).toContain(message);
});

it.runIf(software.length > 0)('tune: prints a policy that createContext takes', async () => {
  const out = join(folder, 'tune.json');
  const args = ['--adapter', 'swiftshader', '--shape', '8x20', '--op', 'logSumExp', '--out', out];
  const { code, stdout, stderr } = await command('bench/tune/main.ts', ...args);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^createContext\((\{ policy: \{ .* \} \})?\) \/\/ 20 classes$/m);
  const { shapes, adapter } = JSON.parse(readFileSync(out, 'utf8'));
  expect(adapter.isFallbackAdapter).toBe(true);
  expect(shapes[0].ranked.map(({ policy }: { policy: object }) => policy)).toContainEqual({});
});
