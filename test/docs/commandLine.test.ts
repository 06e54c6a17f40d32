// What the README shows of the command line, compared with what the built program prints.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { fixture, temporaryFolder } from '../cli/files.js';
import { cli, onSwiftShader } from '../cli/run.js';
import { readMarkdown } from './markdown.js';

const { fences } = readMarkdown('README.md');
const shown = fences.filter(({ check }) => check?.startsWith('npx webgpu-loss '));
const noSwiftShader = await whyNoSwiftShader();

const folder = temporaryFolder();
for (const name of ['logits.npy', 'targets.npy'])
  copyFileSync(fixture(`example.${name}`), join(folder, name));

test('the README shows both commands', () => {
  expect(shown.map(({ check }) => check?.split(' ')[2])).toEqual(['eval', 'doctor']);
});

for (const { check = '', code, line } of shown) {
  const [, , ...args] = check.split(' ');
  // What doctor shows is of a machine that has SwiftShader alone.
  const flags = args[0] === 'doctor' ? onSwiftShader : [];
  test.skipIf(flags.length > 0 && noSwiftShader !== undefined)(`${check}, line ${line}`, async () => {
    const { stdout } = await cli(args, { cwd: folder, flags });
    // The lines between dots stand next to each other, in this order; dots stand for any number of lines.
    let from = 0;
    for (const piece of code.split(/^ *…\n?/m).filter((part) => part !== '')) {
      const at = `\n${stdout}`.indexOf(`\n${piece.trimEnd()}\n`, from);
      if (at < 0) expect(stdout.slice(from)).toContain(piece);
      expect(at).toBeGreaterThanOrEqual(from);
      from = at + piece.length;
    }
    expect(from).toBeGreaterThan(100);
  });
}
