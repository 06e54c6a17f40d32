import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { HELP } from '../../examples/language-model/options.js';
import { missingPiece, readMarkdown, root } from '../docs/markdown.js';
import { needTokenizer } from '../support/packages.js';

/** Runs what `npm run language-model -- …args` runs, without the build. */
function start(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = [
    '--import',
    'tsx',
    '--import',
    './scripts/raw.js',
    'examples/language-model/main.ts',
    ...args,
  ];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, command, { cwd: root }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const small = '--backend cpu --vocabulary 255 --batch 32 --features 16 --steps 60 --places 200'.split(' ');

describe('npm run language-model', { timeout: 120_000 }, () => {
  needTokenizer();

  it('prints one JSON object that tells of a model that has learned', async () => {
    const { code, stdout, stderr } = await start('--json', ...small);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      backend: 'cpu',
      extent: { steps: 60 },
      places: 200,
      sizes: { classes: 256, features: 16, rows: 32 },
      memory: { logits: 2 * 4 * 32 * 256, scratch: 0 },
    });
    const { heldOut, baselines, history, sample } = report;
    expect(heldOut.before).toBeCloseTo(Math.log(256), 5);
    expect(baselines.uniform).toBeCloseTo(Math.log(256), 12);
    expect(heldOut.after).toBeLessThan(heldOut.before - 1.5);
    expect(heldOut.perplexity).toBeCloseTo(Math.exp(heldOut.after), 9);
    // The first step, and then each fifth; the last one too.
    const steps = history.map(({ step }: { step: number }) => step);
    expect(steps).toEqual([1, ...Array.from({ length: 11 }, (_, i) => 6 + 5 * i), 60]);
    expect(history[0].crossEntropy).toBeCloseTo(Math.log(256), 5);
    expect(history.at(-1).crossEntropy).toBeLessThan(history[0].crossEntropy - 1.5);
    expect(sample.length).toBeGreaterThan(60);
    expect(stdout.trimEnd().split('\n').length).toBeGreaterThan(20);
  });

  it('prints what the index of the examples shows', { timeout: 300_000 }, async () => {
    const { fences } = readMarkdown('examples/README.md');
    const shown = fences.find(({ check }) => check?.startsWith('npm run language-model'));
    const options = /^npm run language-model -- (.*)$/.exec(shown?.check ?? '')?.[1]?.split(' ') ?? [];
    expect(options).not.toHaveLength(0);
    expect(shown?.code).toMatch(/^ *…\n/m);
    const { stdout } = await start(...options);
    expect(missingPiece(shown?.code ?? '', stdout), stdout).toBeUndefined();
  });

  it('is the same for the same seed', async () => {
    const draw = async (seed: string) => {
      const { history, sample } = JSON.parse(
        (await start('--json', ...small, '--steps', '6', '--seed', seed)).stdout,
      );
      return { history, sample };
    };
    const [one, again] = await Promise.all([draw('1'), draw('1')]);
    expect(one).toEqual(again);
    expect(await draw('2')).not.toEqual(one);
  });

  it('tells people the same, without control characters where there is no terminal', async () => {
    const { code, stdout } = await start(...small, '--steps', '6');
    expect(code).toBe(0);
    for (const line of [
      ...['text', 'model', 'training', 'logits', 'scratch', 'memory', 'adapter'],
      ...['uniform', 'unigram', 'learned text', 'held-out text', 'perplexity', 'time'],
    ]) {
      expect(stdout).toMatch(new RegExp(`^  ${line} `, 'm'));
    }
    expect(stdout).toContain('64 KiB that are never held: 32 x 256 of them, and their gradient');
    expect(stdout).toMatch(/step\s+6\/6 {2}cross-entropy/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('prints its help', async () => {
    expect(await start('--help')).toEqual({ code: 0, stdout: `${HELP}\n`, stderr: '' });
  });

  it('refuses a bad value with a message and exit code 2', async () => {
    const { code, stdout, stderr } = await start('--features', 'many');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(
      'error: --features must be a whole number from 1 to 1024, not "many"\nnpm run language-model -- --help lists the options.\n',
    );
  });
});
