// Tests that drive pages in a real browser.
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findChromium, launchChromium, type RunningChromium } from '../../scripts/chromium.js';
import { requiredTargets } from '../targets/names.js';
import { listen } from './complaints.js';

export interface Chromium {
  /** The browser that all tests of the group share; only from within a test or a hook. */
  readonly browser: Browser;
  /** A page that is closed after the test, which fails if the page complained (see `complaints.ts`). */
  newPage(): Promise<Page>;
}

/**
 * A group of tests with one Chromium (see `scripts/chromium.ts`: WebGPU on SwiftShader, no other machine to be reached). Where there is
 * none, the group is skipped and says why, or fails if `WEBGPU_LOSS_REQUIRE` names `chromium`.
 */
export function describeInChromium(name: string, body: (chromium: Chromium) => void): void {
  describe(name, { timeout: 300_000 }, async () => {
    const program = await findChromium().catch(String);
    if (typeof program === 'string') {
      test('there is a Chromium', (context) => {
        if (requiredTargets().has('chromium')) throw new Error(program);
        context.skip(program);
      });
      return;
    }
    let running: RunningChromium | undefined;
    let opened: { page: Page; complaints: string[] }[] = [];
    beforeAll(async () => {
      running = await launchChromium(program);
    });
    afterEach(async () => {
      const pages = opened;
      opened = [];
      for (const { page } of pages) await page.close();
      expect(pages.flatMap(({ complaints }) => complaints)).toEqual([]);
    });
    afterAll(async () => {
      await running?.close();
    });
    const browser = () => {
      if (running === undefined) throw new Error('the browser is there in tests and hooks only');
      return running.browser;
    };
    body({
      get browser() {
        return browser();
      },
      async newPage() {
        const page = await browser().newPage();
        opened.push({ page, complaints: listen(page) });
        return page;
      },
    });
  });
}
