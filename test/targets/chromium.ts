// The target that runs in a page: built by Vite, served from this machine, driven through puppeteer.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { type ChromiumProgram, findChromium, launchChromium } from '../../scripts/chromium.js';
import { shortWgsl } from '../../scripts/shortWgsl.js';
import { wat } from '../../scripts/wat.js';
import { messageOf } from '../../src/node/dawn.js';
import { listen } from '../support/complaints.js';
import { serve } from '../support/site.js';
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
  await build({
    configFile: false,
    root: fileURLToPath(new URL('./page', import.meta.url)),
    logLevel: 'warn',
    plugins: [shortWgsl(), wat()],
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
  const site = await serve(folder);
  closers.push(() => site.close());
  return site.url;
}
