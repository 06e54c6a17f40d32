// The examples that are pages, opened as their index says: the repository served as it is.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import digits from '../../examples/digits/packages/package.json' with { type: 'json' };
import { installPackages } from '../../scripts/packages.js';
import { root } from '../docs/markdown.js';
import { describeInChromium } from '../support/chromium.js';
import { type Site, serve } from '../support/site.js';

const artifacts = `${root}/test/artifacts/examples`;
mkdirSync(artifacts, { recursive: true });
installPackages(
  fileURLToPath(new URL('../../examples/digits/packages/', import.meta.url)),
  digits,
  'the digits (40 MB)',
);

describeInChromium('the example', (chromium) => {
  let site: Site;
  beforeAll(async () => {
    site = await serve(root);
  });
  afterAll(() => site.close());

  for (const backend of ['auto', 'webgpu']) {
    test(`softmax-regression, on ${backend}`, async () => {
      const page = await chromium.newPage();
      await page.setViewport({ width: 700, height: 650 });
      const seen: string[] = [];
      await page.exposeFunction('saw', (text: string) => seen.push(text));
      await page.evaluateOnNewDocument(`addEventListener('DOMContentLoaded', () => {
        const status = document.querySelector('[role=status]');
        new MutationObserver(() => saw(status.textContent)).observe(status, { childList: true });
      });`);
      await page.goto(`${site.url}examples/softmax-regression/?backend=${backend}`);
      await page.waitForFunction(`document.querySelector('[role=status]').textContent.includes('Step 60')`);
      const losses = seen.map((text) => Number(/cross-entropy ([\d.]+) nats/.exec(text)?.[1]));
      // Of 0 weights, ln 3; it falls from drawing to drawing.
      expect(losses).toHaveLength(7);
      expect(losses[0]).toBe(1.0986);
      expect(losses).toEqual(losses.toSorted((a, b) => b - a));
      expect(losses.at(-1)).toBeLessThan(0.2);
      if (backend === 'webgpu') expect(seen.at(-1)).toContain('on webgpu');
      await page.screenshot({ path: `${artifacts}/softmax-regression-${backend}.png` });
    });

    test(`digits, on ${backend}`, async () => {
      const page = await chromium.newPage();
      await page.setViewport({ width: 700, height: 750 });
      await page.goto(`${site.url}examples/digits/?epochs=2&backend=${backend}`);
      await page.waitForFunction(`document.querySelector('[role=status]').textContent.includes('Done')`, {
        timeout: 200_000,
      });
      const lines = await page.$$eval('li', (items) => items.map((item) => item.textContent ?? ''));
      const shares = lines.map((line) => Number(/([\d.]+)% right/.exec(line)?.[1]));
      expect(shares).toHaveLength(3);
      expect(shares[0]).toBeLessThan(30);
      expect(shares[2]).toBeGreaterThan(88);
      await page.screenshot({ path: `${artifacts}/digits-${backend}.png` });
    });
  }
});
