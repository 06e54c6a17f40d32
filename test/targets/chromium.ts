// The target that runs in a page: built by Vite, served from this machine, driven through puppeteer.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer-core';
import { build, preview } from 'vite';
import { type ChromiumProgram, findChromium, launchChromium } from '../../scripts/chromium.js';
import { shortWgsl } from '../../scripts/shortWgsl.js';
import { messageOf } from '../../src/node/dawn.js';
import type { MissingTarget, Target } from './target.js';

export async function openChromium(): Promise<Target | MissingTarget> {
  let program: ChromiumProgram;
  try {
    program = await findChromium();
  } catch (error) {
    return { missing: messageOf(error) };
  }
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) {
      await closer();
    }
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'webgpu-loss-page-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const url = await servePage(folder, closers);
    const { browser, close: closeBrowser } = await launchChromium(program);
    closers.push(closeBrowser);
    const page = await browser.newPage();
    const complaints = listen(page);
    await page.goto(url);
    // The page is ready, or says why it is not.
    const start = await page.evaluate(() =>
      window.conformance.then(({ adapter, features, checks }) => ({ adapter, features, checks })),
    );
    return {
      adapter: `${await browser.version()}, ${start.adapter}`,
      features: start.features,
      checks: start.checks,
      async run(name) {
        const failure = await page.evaluate(
          (check) =>
            window.conformance
              .then((target) => target.run(check))
              .then(
                () => undefined,
                (error: unknown) =>
                  error instanceof Error
                    ? { name: error.name, message: error.message, stack: error.stack ?? '' }
                    : { name: 'Error', message: String(error), stack: '' },
              ),
          name,
        );
        const heard = complaints.splice(0);
        if (failure) {
          throw Object.assign(new Error([failure.message, ...heard].join('\n')), {
            name: failure.name,
            stack: [failure.stack || failure.message, ...heard].join('\n'),
          });
        }
        if (heard.length > 0) {
          throw new Error(`the check passed, but the page complained:\n${heard.join('\n')}`);
        }
      },
      ledger: () => page.evaluate(() => window.conformance.then((target) => target.ledger())),
      async close() {
        await close();
        if (complaints.length > 0) {
          throw new Error(`the page complained after the last check:\n${complaints.join('\n')}`);
        }
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Builds the page into `folder` with the golden data next to it, and serves it; returns its address. The shaders are shortened as in the
 * package, so that all checks hold for what users get; the other targets run them as they are written.
 */
async function servePage(folder: string, closers: (() => Promise<unknown>)[]): Promise<string> {
  const common = { configFile: false, root: fileURLToPath(new URL('./page', import.meta.url)) } as const;
  await build({
    ...common,
    logLevel: 'warn',
    plugins: [shortWgsl()],
    publicDir: fileURLToPath(new URL('../golden', import.meta.url)),
    build: {
      outDir: folder,
      emptyOutDir: true,
      minify: false,
      sourcemap: 'inline',
      target: 'es2023',
      // Checks tell functions by their names, which are not unique in a bundle.
      rolldownOptions: { output: { keepNames: true } },
    },
  });
  const server = await preview({
    ...common,
    appType: 'mpa', // A file that is not there gets a 404, not the page.
    logLevel: 'warn',
    build: { outDir: folder },
    preview: { host: '127.0.0.1', port: 0, strictPort: false },
  });
  closers.push(() => server.close());
  const address = server.resolvedUrls?.local[0];
  if (address === undefined) {
    throw new Error('the server of the test page has no address');
  }
  return address;
}

/** Collects what the page prints as an error, what it fails to catch, and every request that fails. */
function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Not warnings: Chromium prints a shader's errors as such, even where the page captures them.
    if (message.type() === 'error') {
      complaints.push(`console.error: ${message.text()}`);
    }
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${messageOf(error)}`));
  page.on('requestfailed', (request) =>
    complaints.push(`request failed: ${request.url()}: ${request.failure()?.errorText}`),
  );
  page.on('response', (response) => {
    if (response.status() >= 400) {
      complaints.push(`request failed: ${response.url()}: status ${response.status()}`);
    }
  });
  return complaints;
}
