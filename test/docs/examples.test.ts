// The examples of the README and of docs, run as a stranger would: from a project of its own, on the built package. What they print must
// be what the documents say they print.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { describeInChromium } from '../support/chromium.js';
import { serve } from '../support/site.js';
import { requiredTargets } from '../targets/names.js';
import { examplesOf, missingPiece, readMarkdown, root } from './markdown.js';

const readme = readMarkdown('README.md');
const nodeExamples = ['README.md', 'docs/losses.md'].flatMap((file) =>
  examplesOf(readMarkdown(file), 'node').map((example) => ({ ...example, file })),
);
const browserExamples = examplesOf(readme, 'browser');

/** A project that has the package installed. */
let project: string;

beforeAll(() => {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('there is no build: run `npm run build`');
  project = mkdtempSync(join(tmpdir(), 'webgpu-loss-readme-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules/webgpu-loss'), 'junction');
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

/** Runs a module of the project in a process of its own; gives what it prints. */
function run(file: string, code: string, ...nodeFlags: string[]): Promise<string> {
  const path = join(project, file);
  writeFileSync(path, code);
  return new Promise((resolve, reject) => {
    const options = { cwd: root, timeout: 240_000 };
    // Not stderr: Dawn and the drivers write warnings of their own there.
    execFile(process.execPath, [...nodeFlags, path], options, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}

/** Lines without blanks at their end, which neither a reader nor a formatter sees. */
function trimmed(text: string): string {
  return text.trimEnd().replaceAll(/[ \t]+$/gm, '');
}

/** The example on any WebGPU adapter, software too, rather than on what it finds best. */
function onWebGpu(code: string, from: string, to: string): string {
  if (!code.includes(from)) throw new Error(`the example does not hold ${from}`);
  return code.replace(from, to);
}

test('the README opens with the two commands', () => {
  const [first] = readme.fences;
  const commands = (first?.code ?? '').split('\n').map((line) => line.replace(/ *#.*/, ''));
  expect(commands).toEqual(['npm ci && npm start', 'npm ci && npm test']);
  expect(readme.text.indexOf('## ')).toBeGreaterThan(readme.text.indexOf('npm ci && npm test'));
});

test('the first examples are of ten lines at most', () => {
  for (const example of [browserExamples[0], nodeExamples[0]]) {
    const lines = (example?.code ?? '').split('\n').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(10);
  }
});

describe('Node', () => {
  for (const { code, file, line, output } of nodeExamples) {
    test(`the example of ${file}, line ${line}`, async () => {
      expect(trimmed(await run(`${basename(file)}-line${line}.js`, code))).toBe(trimmed(output));
    });
  }

  const gpuExamples = nodeExamples.filter(({ code }) => code.includes('gpu()'));
  test('some examples use WebGPU', () => expect(gpuExamples).not.toHaveLength(0));

  for (const { code, line, output } of gpuExamples) {
    // On SwiftShader, which compiles slowly.
    test(`the example of line ${line}, on WebGPU`, { timeout: 300_000 }, async (context) => {
      const absent = await whyNoSwiftShader();
      if (absent !== undefined) {
        if (requiredTargets().has('swiftshader')) throw new Error(absent);
        context.skip(absent);
      }
      const driver = pathToFileURL(join(root, 'scripts/swiftshader.ts')).href;
      const forced = onWebGpu(code, '{ gpu: gpu() }', "{ backend: 'webgpu', gpu: gpu() }");
      const head = `import { useSwiftShader } from '${driver}';\nawait useSwiftShader();\n`;
      const stdout = await run(`line${line}-webgpu.js`, head + forced, '--import', 'tsx');
      expect(trimmed(stdout)).toBe(trimmed(output));
    });
  }
});

describeInChromium('browser', (chromium) => {
  for (const { code, line, output } of browserExamples) {
    test(`the example of line ${line}, as it is and on WebGPU`, async () => {
      const forced = onWebGpu(code, 'createContext()', "createContext({ backend: 'webgpu' })");
      // As it is, it takes the CPU where the browser has a software adapter only.
      const [own, webgpu] = await showPages([code, forced]);
      expect([output, output.replace('webgpu', 'cpu')]).toContain(own);
      expect(webgpu).toBe(output);
    });
  }

  /** What the body of a page says that runs each code in turn. */
  async function showPages(codes: readonly string[]): Promise<string[]> {
    const root = join(project, 'site');
    mkdirSync(root, { recursive: true });
    const input: string[] = [];
    for (const [i, code] of codes.entries()) {
      writeFileSync(join(root, `example${i}.js`), code);
      const page = join(root, `page${i}.html`);
      writeFileSync(
        page,
        `<!doctype html><link rel="icon" href="data:,"><body></body><script type="module" src="./example${i}.js"></script>`,
      );
      input.push(page);
    }
    const outDir = join(root, 'dist');
    await build({
      configFile: false,
      root,
      logLevel: 'warn',
      build: { outDir, target: 'es2023', emptyOutDir: true, rollupOptions: { input } },
    });
    const site = await serve(outDir);
    try {
      const shown: string[] = [];
      for (const i of codes.keys()) {
        const page = await chromium.newPage();
        await page.goto(`${site.url}page${i}.html`);
        await page.waitForFunction('document.body.textContent.trim() !== ""', { timeout: 120_000 });
        shown.push((await page.evaluate(() => document.body.textContent ?? '')).trim());
      }
      return shown;
    } finally {
      await site.close();
    }
  }
});

test('npm start prints what the README shows', { timeout: 300_000 }, async () => {
  const shown = readme.fences.find(({ check }) => check?.startsWith('npm start'));
  const options = /^npm start -- (.*)$/.exec(shown?.check ?? '')?.[1]?.split(' ') ?? [];
  expect(options).not.toHaveLength(0);
  const stdout = await new Promise<string>((resolve, reject) => {
    const command = [
      '--import',
      'tsx',
      '--import',
      './scripts/raw.js',
      'examples/bigram/main.ts',
      ...options,
    ];
    execFile(process.execPath, command, { cwd: root }, (error, out) =>
      error ? reject(error) : resolve(out),
    );
  });
  expect(shown?.code).toMatch(/^ *…\n/m);
  expect(missingPiece(shown?.code ?? '', stdout), stdout).toBeUndefined();
});
