// The comparison in a headless Chromium: a page built by Vite, served from this machine, driven through puppeteer.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { preview } from 'vite';
import { launchChromium } from '../../scripts/chromium.js';
import { buildPage } from './build.js';
import type { PeerBenchOptions } from './peerBench.js';
import type { Place } from './place.js';

export async function openChromium(options: PeerBenchOptions): Promise<Place> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'webgpu-loss-peers-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const config = await buildPage(folder);
    const server = await preview({ ...config, preview: { host: '127.0.0.1', port: 0 } });
    closers.push(() => server.close());
    const chromium = await launchChromium();
    closers.push(chromium.close);
    const page = await chromium.browser.newPage();
    const complaints = listen(page);
    await page.goto(server.resolvedUrls?.local[0] as string);
    const versions = { ...options.versions, chromium: await chromium.browser.version() };
    const bench = await page.evaluateHandle((given) => window.openPeerBench(given), { ...options, versions });
    return {
      async measure(of) {
        try {
          return await bench.evaluate((opened, given) => opened.measure(given), of);
        } catch (cause) {
          throw new Error([(cause as Error).message, ...complaints.splice(0)].join('\n'), { cause });
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the page complains of: told only where something fails, since frameworks are loud. */
function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console.error: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`uncaught: ${String(error)}`));
  return complaints;
}
