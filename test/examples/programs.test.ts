// The examples print what the documents show, and the guide's code is theirs.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import digits from '../../examples/digits/packages/package.json' with { type: 'json' };
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { examplesOf, type Markdown, readMarkdown, root } from '../docs/markdown.js';
import { run, swiftShaderEnvironment } from '../package/packed.js';
import { needPackages } from '../support/packages.js';
import { requiredTargets } from '../targets/names.js';

const index = readMarkdown('examples/README.md');
const guide = readMarkdown('docs/train-a-classifier.md');

/** Runs `node ARGUMENTS` in the repository. */
function execute(command: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const [program, ...args] = command.split(' ');
  expect(program).toBe('node');
  return run(process.execPath, args, { cwd: root, env });
}

/** A test of each block that is marked so, and of what it prints. */
function testsOf(document: Markdown): void {
  for (const { code, output } of examplesOf(document, 'run')) {
    test(`${code} prints what is shown`, async () => {
      expect((await execute(code)).trimEnd()).toBe(output);
    });
  }
}

testsOf(index);

for (const { code, output } of examplesOf(index, 'run on WebGPU')) {
  test(`${code} prints what is shown, on SwiftShader`, async (context) => {
    const absent = await whyNoSwiftShader();
    if (absent !== undefined) {
      if (requiredTargets().has('swiftshader')) throw new Error(absent);
      context.skip(absent);
    }
    // The one command brings the adapter along, the other takes what the machine has.
    const env = code.includes('software.ts') ? {} : await swiftShaderEnvironment();
    expect((await execute(code, env)).trimEnd()).toBe(output);
  });
}

describe('the digits', () => {
  needPackages(join(root, 'examples/digits/packages/'), digits, 'the digits (40 MB)');
  testsOf(guide);

  test('the digits that were held out are read well', () => {
    const [{ output = '' } = {}] = examplesOf(guide, 'run');
    const shares = [...output.matchAll(/held out .* nats, ([\d.]+)% right/g)].map(([, share]) =>
      Number(share),
    );
    expect(shares.length).toBeGreaterThan(2);
    expect(shares.at(-1)).toBeGreaterThan(90);
  });

  test('options that the digits cannot take are refused', async () => {
    const program = 'node examples/digits/main.js';
    await expect(execute(`${program} --epochs many`)).rejects.toThrow(
      '--epochs is many; use a number from 0',
    );
    await expect(execute(`${program} --backend gpu`)).rejects.toThrow("use 'auto', 'webgpu' or 'cpu'");
  });
});

describe('the code of the guide', () => {
  const excerpts = guide.fences.filter(({ language }) => language === 'js');
  test('is there', () => expect(excerpts.length).toBeGreaterThan(3));

  for (const { code, check = '', line } of excerpts) {
    test(`of line ${line} is that of ${check}`, () => {
      expect(readFileSync(join(root, check), 'utf8')).toContain(`\n${code}\n`);
    });
  }
});

test('the index names every example', () => {
  const examples = readdirSync(join(root, 'examples'))
    .filter((name) => !/\.(md|css)$/.test(name))
    .map((name) => (name.endsWith('.js') ? name : `${name}/`));
  for (const name of examples) {
    expect(
      index.links.some((link) => link.startsWith(name)),
      name,
    ).toBe(true);
  }
});
