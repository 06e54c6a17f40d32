// The commands as a user runs them, on the built package.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { HELP as DOCTOR_HELP } from '../../src/cli/doctor/main.js';
import { HELP as EVAL_HELP } from '../../src/cli/eval/options.js';
import { progressBar } from '../../src/cli/eval/progress.js';
import { meanLossBound, valuesOf } from './expected.js';
import { bytesOf, fixture, npyHead, safetensors, temporaryFolder, write } from './files.js';
import { cli, onSwiftShader, program, root } from './run.js';

const folder = temporaryFolder();
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const noSwiftShader = await whyNoSwiftShader();

const batch = ['ce_055_NC_index_mean_ii2.logits.npy', 'ce_055_NC_index_mean_ii2.targets.npy'].map(fixture);
const onCpu = ['--backend', 'cpu'];

const share = z.number().min(0).max(1);
const array = z.strictObject({ file: z.string(), shape: z.array(z.int()), dtype: z.string() });
const schema = z.strictObject({
  logits: array,
  targets: array,
  tensorDtype: z.enum(['f32', 'f16', 'bf16']),
  backend: z.enum(['cpu', 'webgpu']),
  adapter: z.string(),
  why: z.string(),
  ignoreIndex: z.int(),
  temperature: z.number(),
  rows: z.int(),
  classes: z.int(),
  scored: z.int(),
  ignored: z.int(),
  nanRows: z.int(),
  firstNanRow: z.int().optional(),
  infiniteRows: z.int(),
  loss: z.number().or(z.enum(['NaN', 'Infinity'])),
  bits: z.number().or(z.enum(['NaN', 'Infinity'])),
  perplexity: z.number().or(z.enum(['NaN', 'Infinity'])),
  entropy: z.number().or(z.literal('NaN')),
  accuracy: share.or(z.literal('NaN')),
  top5Accuracy: share.or(z.literal('NaN')),
  calibration: z.strictObject({
    error: share.or(z.literal('NaN')),
    bins: z.array(
      z.strictObject({
        from: share,
        to: share,
        rows: z.int(),
        accuracy: share.optional(),
        confidence: share.optional(),
      }),
    ),
  }),
  seconds: z.number().positive(),
  tokensPerSecond: z.number().positive(),
});

describe('eval', () => {
  test('prints one JSON object and nothing else', async () => {
    const { code, stdout, stderr } = await cli(['eval', ...batch, ...onCpu, '--json', '--ignore-index', '2']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = schema.parse(JSON.parse(stdout));
    expect(report).toMatchObject({
      logits: { file: batch[0], shape: [5, 7], dtype: 'f32' },
      targets: { file: batch[1], shape: [5], dtype: 'i64' },
      backend: 'cpu',
      why: 'it was asked for',
      ignoreIndex: 2,
      temperature: 1,
      rows: 5,
      classes: 7,
    });
    expect(report.scored + report.ignored).toBe(5);
    expect(report.ignored).toBeGreaterThan(0);
    expect(report.bits).toBe((report.loss as number) / Math.LN2);
    expect(report.calibration.bins).toHaveLength(15);
  });

  test('numbers that JSON does not have are words', async () => {
    const hard = ['hard.logits.npy', 'hard.targets.npy'].map(fixture);
    const { code, stdout } = await cli(['eval', ...hard, ...onCpu, '--json', '--bins', '3']);
    expect(code).toBe(0);
    const report = schema.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ loss: 'NaN', perplexity: 'NaN', entropy: 'NaN', scored: 51 });
    expect(report.calibration.bins).toHaveLength(3);
    const text = await cli(['eval', ...hard, ...onCpu]);
    expect(text.stdout).toContain(
      `${report.nanRows} with loss NaN, the first is row ${report.firstNanRow} (counted from 0)`,
    );
    expect(text.stdout).toContain(`${report.infiniteRows} with loss Infinity`);
  });

  test('tells people the same, without control characters where there is no terminal', async () => {
    const [text, json] = await Promise.all([
      cli(['eval', ...batch, ...onCpu, '--temperature', '2']),
      cli(['eval', ...batch, ...onCpu, '--temperature', '2', '--json']),
    ]);
    expect({ code: text.code, stderr: text.stderr }).toEqual({ code: 0, stderr: '' });
    const { loss, perplexity, accuracy } = JSON.parse(json.stdout);
    expect(text.stdout).toContain(`loss         ${loss.toFixed(6)} nats/token`);
    expect(text.stdout).toContain(`perplexity   ${perplexity.toPrecision(7)}`);
    expect(text.stdout).toContain(`accuracy     ${(100 * accuracy).toFixed(2)}%`);
    expect(text.stdout).toContain('temperature  2');
    expect(text.stdout).toContain('computed on  CPU (WebAssembly): it was asked for');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
    expect(text.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  test('tensors of a safetensors file, in each way to name them', async () => {
    const path = write(
      folder,
      'model.safetensors',
      safetensors({
        scores: { dtype: 'F32', shape: [2, 3], data: Float32Array.of(2, 0, -1, 0, 3, 1) },
        labels: { dtype: 'I64', shape: [2], data: BigInt64Array.of(0n, 2n) },
      }),
    );
    const ways = [
      [`${path}:scores`, `${path}:labels`],
      [path, '--logits', 'scores', '--targets', 'labels'],
      [path, path, '--logits=scores', '--targets=labels'],
      [`${path}:scores`, '--targets', 'labels'],
    ];
    for (const way of ways) {
      const { stdout, stderr } = await cli(['eval', ...way, ...onCpu]);
      expect(stderr).toBe('');
      expect(stdout).toContain(`logits       ${path}:scores: [2, 3] f32`);
      expect(stdout).toContain('loss         1.169846 nats/token');
    }
  });

  test.skipIf(noSwiftShader !== undefined)('computes on WebGPU where that is asked for', async () => {
    const [gpu, cpu] = await Promise.all([
      cli(['eval', ...batch, '--json', '--adapter', 'swiftshader'], { flags: onSwiftShader }),
      cli(['eval', ...batch, '--json', ...onCpu]),
    ]);
    expect(gpu.code, gpu.stderr).toBe(0);
    const report = schema.parse(JSON.parse(gpu.stdout));
    expect(report).toMatchObject({ backend: 'webgpu', why: '"swiftshader" was asked for' });
    expect(report.adapter).toMatch(/SwiftShader/);
    const [logits, targets] = await Promise.all(batch.map(valuesOf));
    const bound = meanLossBound(logits?.values ?? [], 7, targets?.values ?? []);
    expect(Math.abs((report.loss as number) - JSON.parse(cpu.stdout).loss)).toBeLessThanOrEqual(2 * bound);
  });

  test.skipIf(noSwiftShader !== undefined)(
    'takes the CPU where there is only a software adapter',
    async () => {
      const { stdout } = await cli(['eval', ...batch], { flags: onSwiftShader });
      expect(stdout).toMatch(
        /computed on {2}CPU \(WebAssembly\): .*only .*SwiftShader.*, which is software$/m,
      );
    },
  );

  test('a file larger than what is in memory at a time', async () => {
    const [rows, classes] = [4000, 32768];
    const path = join(folder, 'sparse.npy');
    const head = npyHead('<f4', [rows, classes]);
    const file = openSync(path, 'w');
    writeSync(file, head);
    const bytes = 4 * rows * classes;
    ftruncateSync(file, head.length + bytes);
    closeSync(file);
    const targets = write(folder, 'zeros.npy', npyHead('<u1', [rows]), new Uint8Array(rows));
    const watch = `process.on('exit', () => console.error(process.resourceUsage().maxRSS * 1024))`;
    const flags = [
      '--max-old-space-size=64',
      '--import',
      `data:text/javascript,${encodeURIComponent(watch)}`,
    ];
    const { code, stdout, stderr } = await cli(['eval', path, targets, ...onCpu, '--json'], { flags });
    expect(code, stderr).toBe(0);
    const { loss, scored, accuracy } = JSON.parse(stdout);
    expect({ loss, scored, accuracy }).toEqual({
      loss: Math.fround(Math.log(classes)),
      scored: rows,
      accuracy: 1,
    });
    expect(bytes).toBe(500 * 2 ** 20);
    expect(Number(stderr)).toBeLessThan(200 * 2 ** 20);
  });
});

describe('errors', () => {
  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /a command is missing: eval or doctor\nnpx webgpu-loss --help/],
    [['evaluate'], /there is no command "evaluate"/],
    [['eval'], /the file of the logits is missing\nnpx webgpu-loss eval --help lists the options/],
    [['eval', 'x.npy'], /the file of the targets is missing/],
    [['eval', 'x.npy', 't.npy', 'z.npy'], /one argument too many: "z\.npy"/],
    [['eval', 'x.npy', 't.npy', '--fast'], /Unknown option '--fast'/],
    [['eval', 'x.npy', 't.npy', '--ignore-index', 'x'], /--ignore-index must be a whole number/],
    [['eval', 'x.npy', 't.npy', '--ignore-index'], /--ignore-index/],
    [['eval', 'x.npy', 't.npy', '--bins', '0'], /--bins must be a whole number from 1 to 1000, not "0"/],
    [['eval', 'x.npy', 't.npy', '--temperature', '-1'], /--temperature must be a number above 0, not "-1"/],
    [['eval', 'x.npy', 't.npy', '--backend', 'gpu'], /--backend must be one of auto, webgpu, cpu/],
    [['eval', 'x.npy', 't.npy', '--backend', 'cpu', '--adapter', 'a'], /--adapter a needs WebGPU/],
    [['eval', 'x.npy', 't.npy', '--adapter', ''], /--adapter must not be empty/],
    [['eval', 'x.safetensors:a', 't.npy', '--logits', 'b'], /--logits b and x\.safetensors:a name different/],
    [['doctor', 'x'], /Unexpected argument 'x'/],
    [['doctor', '--adapter='], /--adapter must not be empty/],
  ];
  for (const [args, message] of refused) {
    test(`arguments that cannot be used end with 2: ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await cli(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^error: /);
      expect(stderr).toMatch(message);
    });
  }

  const x = fixture('x-f4.npy');
  const bad = write(folder, 'bad.npy', npyHead('<i4', [2, 2]), bytesOf(Int32Array.of(0, 1, 2, 5)));
  const cube = write(folder, 'cube.npy', npyHead('<f4', [2, 2, 3]), bytesOf(new Float32Array(12)));
  const failed: readonly (readonly [readonly string[], string])[] = [
    [[x, 'none.npy'], 'error: none.npy: there is no such file.\n'],
    [
      [cube, bad],
      `error: ${bad}: the target of row 3, at [1, 1], is 5, outside [0, 3). Give a class index in that range, ` +
        'or --ignore-index 5 if such rows are not to count.\n',
    ],
    [[x, fixture('t-i4.npy'), '--adapter', 'no such adapter'], 'error: gpu: '],
  ];
  for (const [args, message] of failed) {
    test(`what cannot be done ends with 1: ${message.slice(0, 60)}`, async () => {
      const { code, stdout, stderr } = await cli(['eval', ...args]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      // Drivers write warnings of their own.
      expect(stderr).toContain(message);
    });
  }
});

describe.skipIf(process.platform === 'win32')('results that cannot be written', () => {
  /** By a shell, which says where the results go. */
  const through = (end: string) => {
    const { status, stderr } = spawnSync(
      'bash',
      [
        '-c',
        `set -o pipefail; "$@" ${end}`,
        'bash',
        process.execPath,
        program,
        'eval',
        ...batch,
        ...onCpu,
        '--json',
      ],
      { encoding: 'utf8' },
    );
    return { status, stderr };
  };

  test.skipIf(!existsSync('/dev/full'))('are no success', () => {
    const { status, stderr } = through('> /dev/full');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: the results cannot be written: ENOSPC/);
  });

  test('are, where nobody reads on', () => {
    expect(through('| true')).toEqual({ status: 0, stderr: '' });
  });
});

test('help and version', async () => {
  expect(await cli(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' });
  expect((await cli(['--help'])).stdout).toMatch(/^Usage: npx webgpu-loss COMMAND\n/);
  expect(await cli(['eval', '-h'])).toEqual({ code: 0, stdout: `${EVAL_HELP}\n`, stderr: '' });
  expect(await cli(['doctor', '--help'])).toEqual({ code: 0, stdout: `${DOCTOR_HELP}\n`, stderr: '' });
});

describe('the progress bar', () => {
  const terminal = process.stderr.isTTY;
  afterEach(() => {
    process.stderr.isTTY = terminal;
    vi.restoreAllMocks();
  });

  for (const isTTY of [true, false]) {
    test(isTTY ? 'is on stderr where that is a terminal' : 'is nowhere else', () => {
      const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      process.stderr.isTTY = isTTY;
      const bar = progressBar(200);
      bar.update(50);
      bar.stop();
      const shown = write.mock.calls.map(([text]) => String(text)).join('');
      if (isTTY) expect(shown).toContain('0/200 rows');
      else expect(shown).toBe('');
    });
  }

  test('leaves the terminal as it was where it is interrupted, and the process ends', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const listeners = () => process.rawListeners('SIGINT');
    const others = listeners();
    process.stderr.isTTY = true;
    progressBar(200);
    const [interrupted] = listeners().filter((listener) => !others.includes(listener));
    interrupted?.('SIGINT');
    // Lines wrap again.
    const shown = write.mock.calls.map(([text]) => String(text)).join('');
    expect(shown.lastIndexOf('\x1b[?7h')).toBeGreaterThan(shown.lastIndexOf('\x1b[?7l'));
    expect(kill.mock.calls).toEqual([[process.pid, 'SIGINT']]);
    expect(listeners()).toEqual(others);
  });

  test('waits for no signal once it has stopped', () => {
    const before = process.listenerCount('SIGINT');
    const bar = progressBar(200);
    expect(process.listenerCount('SIGINT')).toBe(before + 1);
    bar.stop();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

describe('the packed package, in a project without the package webgpu', () => {
  const project = join(folder, 'project');
  const inProject = { cwd: project, program: join(project, 'node_modules/webgpu-loss/dist/cli.js') };

  let packed: { readonly filename: string; readonly files: readonly { readonly path: string }[] };

  beforeAll(() => {
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true }');
    const npm = (...args: readonly string[]) =>
      execFileSync('npm', [...args, '--ignore-scripts'], {
        cwd: project,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    [packed] = JSON.parse(npm('pack', root, '--json').toString());
    npm('install', '--offline', `./${packed.filename}`);
  });

  test('is installed with its command', () => {
    const files = packed.files.map(({ path }) => path);
    expect(files).toContain('dist/cli.js');
    expect(files).toContain('dist/vendor/packages.js');
    const command = join(project, 'node_modules/.bin/webgpu-loss');
    expect(execFileSync(command, ['--version']).toString()).toBe(`${manifest.version}\n`);
  });

  test('has the licences of what it brings along', () => {
    const licences = readFileSync(join(project, 'node_modules/webgpu-loss/dist/vendor/LICENSES.md'), 'utf8');
    for (const name of ['cli-progress', 'string-width', 'strip-ansi', 'ansi-regex', 'emoji-regex']) {
      expect(licences).toMatch(new RegExp(`^## ${name} - `, 'm'));
    }
  });

  test('scores on the CPU, and says why', async () => {
    const { code, stdout, stderr } = await cli(['eval', ...batch], inProject);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain("computed on  CPU (WebAssembly): the package 'webgpu' is not installed\n");
  });

  test('has a doctor who says what to install', async () => {
    const { code, stdout, stderr } = await cli(['doctor'], inProject);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('package webgpu: not installed');
    expect(stdout).toContain('To use a GPU: npm install webgpu');
    expect(stdout).toContain('self-test on CPU: passed');
  });

  test('fails where an adapter was asked for', async () => {
    const { code, stdout } = await cli(['doctor', '--adapter', 'hardware'], inProject);
    expect(code).toBe(1);
    expect(stdout).toContain("problem: gpu: the package 'webgpu' is not installed.");
  });
});
