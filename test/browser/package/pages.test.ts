// The installed package in pages: through Vite, without a bundler, in workers, under a strict Content-Security-Policy.
import { createHash } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, createServer } from 'vite';
import { afterAll, expect, test } from 'vitest';
import { readMarkdown } from '../../docs/markdown.js';
import { expectedLosses } from '../../package/expected.js';
import { newProject } from '../../package/packed.js';
import { type Chromium, describeInChromium } from '../../support/chromium.js';
import { serve } from '../../support/site.js';

const project = newProject();
afterAll(() => project.remove());

/** A page that runs a module. */
const html = (file: string, head = '') =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title>${head}` +
  `<script type="module" src="./${file}"></script><body></body></html>`;

// In the first the page itself computes, in the second a worker of it.
project.write({ 'page.html': html('page.js'), 'workerPage.html': html('workerPage.js') });

/** What a browser loads for each entry point, by the installed package file. */
const modules = Object.entries(project.manifest.exports).flatMap(([entry, target]) =>
  typeof target === 'string'
    ? []
    : [
        [
          entry.replace('.', 'webgpu-loss'),
          `./node_modules/webgpu-loss/${target.default.replace('./', '')}`,
        ] as const,
      ],
);

// Without a bundler and an import map, which workers do not have, imports are paths.
const code = readFileSync(join(project.folder, 'losses.js'), 'utf8');
const withPaths = modules.reduce((text, [name, path]) => text.replaceAll(`'${name}'`, `'${path}'`), code);

const { fences } = readMarkdown('docs/install.md');
/** A block of the guide. */
function shown(check: string): string {
  const found = fences.find((fence) => fence.check === check);
  if (found === undefined) throw new Error(`docs/install.md has no block "check: ${check}"`);
  return found.code;
}

/** The header that the guide gives, and the one for pages that start workers. */
const policy = shown('policy').replaceAll(/\s*\n\s*/g, ' ');
const workerPolicy = policy.replace(/ require-trusted-types-for .*/, '');
const imports = shown('import map');

test('the guide names the modules by the paths that they have, and starts a worker as the tests do', () => {
  expect(modules).toEqual(expect.arrayContaining(Object.entries(JSON.parse(imports).imports)));
  expect(readFileSync(join(project.folder, 'workerPage.js'), 'utf8')).toContain(shown('worker'));
});

const importMap = `<script type="importmap">${imports}</script>`;

describeInChromium('the package', (chromium) => {
  test('through the dev server of Vite', async () => {
    const server = await createServer({
      configFile: false,
      root: project.folder,
      logLevel: 'warn',
      server: { host: '127.0.0.1', port: 0 },
    });
    await server.listen();
    try {
      await seesLosses(chromium, server.resolvedUrls?.local[0] ?? '', ['page.html', 'workerPage.html']);
    } finally {
      await server.close();
    }
  });

  test('built by Vite, under the strict policy', async () => {
    const outDir = await buildByVite('built', ['page.html', 'workerPage.html']);
    await served(outDir, policy, (url) => seesLosses(chromium, url, ['page.html']));
    await served(outDir, workerPolicy, (url) => seesLosses(chromium, url, ['workerPage.html']));
  });

  test('in a service worker, built into one file by Vite', async () => {
    const outDir = await buildByVite('whole', ['serviceWorker.js'], {
      // Which is for documents.
      modulePreload: false,
      rollupOptions: { output: { codeSplitting: false, entryFileNames: '[name].js' } },
    });
    expect(readdirSync(outDir)).toEqual(['serviceWorker.js']);
    writeFileSync(join(outDir, 'page.html'), html('serviceWorkerPage.js'));
    copyFileSync(join(project.folder, 'serviceWorkerPage.js'), join(outDir, 'serviceWorkerPage.js'));
    await served(outDir, undefined, (url) => seesLosses(chromium, url, ['page.html']));
  });

  test('without a bundler, by an import map', async () => {
    project.write({ 'mapped.html': html('page.js', importMap) });
    await served(project.folder, undefined, (url) => seesLosses(chromium, url, ['mapped.html']));
    // The map is a script within the page: the policy has to name it by its hash.
    const hash = `'sha256-${createHash('sha256').update(imports).digest('base64')}'`;
    const hashed = policy.replace("script-src 'self'", `script-src 'self' ${hash}`);
    await served(project.folder, hashed, (url) => seesLosses(chromium, url, ['mapped.html']));
  });

  test('without a bundler, by paths, under the strict policy', async () => {
    const plain = newProject();
    try {
      plain.write({
        'losses.js': withPaths,
        'page.html': html('page.js'),
        'workerPage.html': html('workerPage.js'),
      });
      await served(plain.folder, policy, (url) => seesLosses(chromium, url, ['page.html']));
      await served(plain.folder, workerPolicy, (url) => seesLosses(chromium, url, ['workerPage.html']));
    } finally {
      plain.remove();
    }
  });
});

// What a policy forbids is told to the console, which fails the tests above; not this one, whose page is opened without them.
describeInChromium('the strict policy', (chromium) => {
  test('refuses scripts that are no files of the site', async () => {
    project.write({ 'inline.html': html('page.js', '<script>document.title = "it ran"</script>') });
    await served(project.folder, policy, async (url) => {
      const page = await chromium.browser.newPage();
      await page.goto(`${url}inline.html?backend=cpu`);
      expect(await page.title()).toBe('test');
      await page.close();
    });
  });
});

describeInChromium('the CPU', (chromium) => {
  test('computes in WebAssembly where the policy allows it, and tries it once', async () => {
    const index = modules.find(([name]) => name === 'webgpu-loss')?.[1];
    const page = `
      import { createContext } from '${index}';
      import { losses } from './withPaths.js';
      const violations = [];
      document.addEventListener('securitypolicyviolation', ({ blockedURI }) => violations.push(blockedURI));
      const contexts = [await createContext({ backend: 'cpu' }), await createContext({ backend: 'cpu' })];
      const computed = contexts.map(({ info }) => info.description);
      const said = await losses({ backend: 'cpu' });
      // An event comes after what raised it.
      setTimeout(() => (document.body.textContent = JSON.stringify({ violations, computed, said })), 100);`;
    project.write({ 'withPaths.js': withPaths, 'cpu.js': page, 'cpu.html': html('cpu.js') });
    const under = (csp: string): Promise<unknown> =>
      served(project.folder, csp, async (url) => JSON.parse(await textOf(chromium, `${url}cpu.html`)));
    const said = { backend: 'cpu', ...expectedLosses() };

    expect(await under(policy)).toEqual({
      violations: ['wasm-eval'],
      computed: ['CPU (JavaScript)', 'CPU (JavaScript)'],
      said,
    });
    const allowing = policy.replace("script-src 'self';", shown('policy with WebAssembly').trim());
    expect(allowing).not.toBe(policy);
    expect(await under(allowing)).toEqual({
      violations: [],
      computed: ['CPU (WebAssembly)', 'CPU (WebAssembly)'],
      said,
    });
  });
});

/** Builds files of the project, and gives the folder of what comes of them. */
async function buildByVite(name: string, files: readonly string[], more: BuildOptions = {}): Promise<string> {
  const outDir = join(project.folder, name);
  const input = files.map((file) => join(project.folder, file));
  await build({
    configFile: false,
    root: project.folder,
    logLevel: 'warn',
    build: { ...more, outDir, rollupOptions: { ...more.rollupOptions, input } },
  });
  return outDir;
}

async function served<T>(
  folder: string,
  csp: string | undefined,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const site = await serve(folder, csp === undefined ? {} : { headers: { 'Content-Security-Policy': csp } });
  try {
    return await use(site.url);
  } finally {
    await site.close();
  }
}

async function seesLosses(chromium: Chromium, url: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const text = await textOf(chromium, `${url}${file}?backend=webgpu`);
    expect(JSON.parse(text), file).toEqual({ backend: 'webgpu', ...expectedLosses() });
  }
}

/** What a page says, once it has. */
async function textOf(chromium: Chromium, url: string): Promise<string> {
  const page = await chromium.newPage();
  await page.goto(url);
  await page.waitForFunction('document.body?.textContent.trim()', { timeout: 120_000 });
  return page.evaluate(() => document.body.textContent ?? '');
}
