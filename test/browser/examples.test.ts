// The examples that are pages, opened as their index says: the repository served as it is.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import digits from '../../examples/digits/packages/package.json' with { type: 'json' };
import { crossEntropy } from '../../src/cpu.js';
import { examplesOf, readMarkdown, root } from '../docs/markdown.js';
import { describeInChromium } from '../support/chromium.js';
import { needPackages } from '../support/packages.js';
import { type Site, serve } from '../support/site.js';

const artifacts = `${root}/test/artifacts/examples`;
mkdirSync(artifacts, { recursive: true });

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
      const expected = await regressionLosses(60);
      expect(losses).toHaveLength(7);
      for (const [i, loss] of losses.entries()) {
        // Four digits are shown, the last of which float32 may round the other way.
        expect(Math.abs(loss - (expected[10 * i] as number))).toBeLessThan(1e-4);
      }
      if (backend === 'webgpu') expect(seen.at(-1)).toContain('on webgpu');
      await page.screenshot({ path: `${artifacts}/softmax-regression-${backend}.png` });
    });
  }

  describe('digits', () => {
    needPackages(join(root, 'examples/digits/packages/'), digits, 'the digits (40 MB)');

    for (const backend of ['cpu', 'webgpu']) {
      test(`on ${backend}`, async () => {
        const page = await chromium.newPage();
        await page.setViewport({ width: 700, height: 750 });
        await page.goto(`${site.url}examples/digits/?epochs=2&backend=${backend}`);
        await page.waitForFunction(`document.querySelector('[role=status]').textContent.includes('Done')`, {
          timeout: 200_000,
        });
        const lines = await page.$$eval('li', (items) => items.map((item) => item.textContent ?? ''));
        const results = lines.map((line) => line.replace(/^E/, 'e').replace(/^B/, 'b'));
        const [{ output = '' } = {}] = examplesOf(readMarkdown('docs/train-a-classifier.md'), 'run');
        if (backend === 'cpu') {
          expect(results).toEqual(output.split('\n').slice(1, 4));
        } else {
          // On a GPU the last digits may differ from those of the CPU, which the guide has.
          const nats = results.map((line) => Number(/held out ([\d.]+) nats/.exec(line)?.[1]));
          expect(nats).toHaveLength(3);
          expect(nats).toEqual(nats.toSorted((a, b) => b - a));
          expect(await page.$eval('[role=status]', (status) => status.textContent)).toContain('on webgpu');
        }
        await page.screenshot({ path: `${artifacts}/digits-${backend}.png` });
      });
    }
  });
});

/** The losses of gradient descent on the example's points, in float64: before each step, and after the last. */
async function regressionLosses(steps: number): Promise<number[]> {
  const { clouds } = await import(join(root, 'examples/points.js'));
  const { features, classes }: { features: Float32Array; classes: Int32Array } = clouds(150);
  const weights = new Float64Array(9);
  return Array.from({ length: steps + 1 }, () => {
    const logits = Array.from({ length: 450 }, (_, i) => {
      const [row, column] = [Math.floor(i / 3), i % 3];
      return [0, 1, 2].reduce((sum, k) => sum + features[3 * row + k]! * weights[3 * k + column]!, 0);
    });
    const { loss, grad = new Float64Array() } = crossEntropy(logits, classes, [150, 3], { grad: true });
    for (const [i, slope] of grad.entries()) {
      for (let k = 0; k < 3; k++) {
        weights[3 * k + (i % 3)]! -= 0.5 * features[3 * Math.floor(i / 3) + k]! * slope;
      }
    }
    return loss[0] as number;
  });
}
