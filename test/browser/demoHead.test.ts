// The language model in the panel Train, as a person uses it. What it shows is compared with a training of the same model in Node.
import type { Viewport } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createContext } from 'webgpu-loss';
import { readBook } from '../../examples/common/book.js';
import { byteSize } from '../../examples/common/format.js';
import { seededRandom } from '../../examples/common/random.js';
import { drawBatch } from '../../examples/language-model/batch.js';
import { memoryOf } from '../../examples/language-model/memory.js';
import { openModel } from '../../examples/language-model/model.js';
import { ALL_TOKENS, type Baselines, baselines, readText } from '../../examples/language-model/text.js';
import { runningMean } from '../../examples/language-model/train.js';
import { describeInChromium } from '../support/chromium.js';
import { byName, byText, type Demo, figuresOf, keepPicture, serveDemo } from '../support/demo.js';
import { needTokenizer } from '../support/packages.js';
import { TrainPanel } from '../support/trainPanel.js';

/** The least vocabulary. */
const VOCABULARY = 511;
/** What the panel takes where no GPU computes. */
const SIZES = { classes: VOCABULARY + 1, features: 32, rows: 64 };
const RATE = 0.02;

/** Steps that are known from Node: a training that is to be paused after some of them may get far before it hears of that. */
const KNOWN_STEPS = 120;

/** Half of the last digit shown, and what float32 leads to within some steps. */
const CLOSE = 2e-3;

const READY = /^Ready: a language model of 512 tokens, untrained\.$/;

/** The nats that a figure says. */
function natsOf(shown = ''): number {
  const [, value] = /^(\d+\.\d{4}) nats$/.exec(shown) ?? [];
  if (value === undefined) throw new Error(`"${shown}" is no quantity`);
  return Number(value);
}

/** The steps at which the panel has looked at the model, newest first. */
function looksUntil(step: number): number[] {
  const last = Math.floor(step / 20);
  return Array.from({ length: last + 1 }, (_, i) => 20 * (last - i));
}

class HeadPanel extends TrainPanel {
  async figures() {
    const { step = '', crossEntropy, heldOut, unigram, ...others } = await figuresOf(this.root);
    return {
      ...others,
      step: Number(step.replaceAll(',', '')),
      crossEntropy: natsOf(crossEntropy),
      heldOut: natsOf(heldOut),
      unigram: natsOf(unigram),
    };
  }
}

describe('the language model', () => {
  needTokenizer();

  describeInChromium('in the panel Train', (chromium) => {
    let demo: Demo;
    let known: Baselines;
    /** By steps: the mean of the latest batches' cross-entropies, and that of the held-out text. */
    const expected: { crossEntropy: number[]; heldOut: Map<number, number> } = {
      crossEntropy: [],
      heldOut: new Map(),
    };

    beforeAll(async () => {
      demo = await serveDemo();
      const text = await readText(await readBook(), VOCABULARY);
      known = baselines(text);
      using context = await createContext({ backend: 'cpu' });
      const model = await openModel(context, SIZES);
      const mean = runningMean();
      const random = seededRandom(1819);
      for (let step = 0; step <= KNOWN_STEPS; step++) {
        if (step % 20 === 0) expected.heldOut.set(step, await model.evaluate(text.heldOut, 512));
        await model.step(drawBatch(text.learned, SIZES.rows, random), RATE);
        expected.crossEntropy.push(mean(await model.readLoss()));
      }
      model.destroy();
    }, 120_000);
    afterAll(() => demo?.close());

    /** The panel, ready to train the least language model. */
    async function open(url = `${demo.url}?backend=cpu`, viewport: Viewport = { width: 1000, height: 900 }) {
      const page = await chromium.newPage();
      await page.setViewport(viewport);
      await page.goto(url);
      const root = await page.$('#train');
      if (root === null) throw new Error('the page has no panel Train');
      const panel = new HeadPanel(page, root);
      await panel.hears(/^Ready: a model of 1,024 tokens/);
      await panel.select('Model', 'head');
      await panel.hears(/^Ready: a language model of 1,024 tokens, untrained\.$/);
      await panel.select('Vocabulary', VOCABULARY);
      await panel.hears(READY);
      return panel;
    }

    for (const backend of ['webgpu', 'cpu']) {
      test(`trains on ${backend} as it does in Node`, async () => {
        const panel = await open(`${demo.url}?backend=${backend}`);
        const before = await panel.figures();
        expect(before.step).toBe(0);
        for (const nats of [before.crossEntropy, before.heldOut]) {
          expect(Math.abs(nats - Math.log(512))).toBeLessThan(1e-4);
        }
        expect(Math.abs(before.unigram - known.unigram)).toBeLessThan(1e-4);

        await panel.press('Start');
        await panel.reaches(42, 120);
        await panel.rest();
        const figures = await panel.figures();
        expect(figures.step).toBeLessThanOrEqual(KNOWN_STEPS);
        const looks = looksUntil(figures.step);
        expect(Math.abs(figures.crossEntropy - expected.crossEntropy[figures.step]!)).toBeLessThan(CLOSE);
        expect(Math.abs(figures.heldOut - expected.heldOut.get(looks[0]!)!)).toBeLessThan(CLOSE);
        expect(figures.heldOut).toBeLessThan(Math.log(512) - 1);

        // What it takes, and what it does without.
        const memory = memoryOf(SIZES);
        expect(figures).toMatchObject({
          logits: byteSize(2 * 4 * 64 * 512),
          parameters: byteSize(memory.parameters),
          training: `${byteSize(memory.gradients)}, ${byteSize(memory.optimizer)}`,
        });
        const { scratch } = figures as unknown as { scratch: string };
        if (backend === 'cpu') expect(scratch).toBe('none on a device');
        else expect(scratch).toMatch(/^[\d.]+ KiB$/);

        // The curve: a point for each step, downwards.
        const points = await panel.curve(0);
        expect(points).toHaveLength(figures.step + 1);
        expect((points.at(-1) as [number, number])[1]).toBeGreaterThan(
          (points[0] as [number, number])[1] + 50,
        );
        const words = await panel.root.$eval('.plot', (plot) => plot.getAttribute('aria-label'));
        expect(words).toContain(`At step ${figures.step}: ${figures.crossEntropy.toFixed(4)} nats`);

        const texts = await panel.texts();
        expect(texts.map(({ step }) => step)).toEqual(looks);
        expect(new Set(texts.map(({ text }) => text)).size).toBe(looks.length);

        await panel.press('Reset');
        await panel.hears(READY);
        expect(await panel.figures()).toMatchObject({ step: 0, heldOut: before.heldOut });
        expect(await panel.texts()).toEqual([]);
      });
    }

    test('comes to rest better than the frequencies alone, and says so', async () => {
      const panel = await open();
      await panel.press('Start');
      await panel.hears(/: the model is better than the frequencies alone: it uses the context\./, 120);
      await panel.hears(/^Paused at step 200: the cross-entropy is \d\.\d{4} nats, below what/, 120);
      const { step, heldOut } = await panel.figures();
      expect(step).toBe(200);
      expect(heldOut).toBeLessThan(known.unigramHeldOut - 0.1);
      expect((await panel.texts())[0]?.step).toBe(200);
    });

    test('takes the whole vocabulary, whose logits are never held', async () => {
      const panel = await open(`${demo.url}?backend=webgpu`);
      await panel.select('Vocabulary', ALL_TOKENS);
      await panel.hears(/^Ready: a language model of 200,019 tokens, untrained\.$/);
      const { crossEntropy } = await panel.figures();
      expect(Math.abs(crossEntropy - Math.log(ALL_TOKENS))).toBeLessThan(1e-4);
      await panel.press('Start');
      await panel.reaches(1, 240);
      await panel.rest();
      const { scratch, logits } = (await panel.figures()) as unknown as Record<string, string>;
      expect(logits).toBe('97.67 MiB');
      const [, mebibytes] = /^([\d.]+) MiB$/.exec(scratch ?? '') ?? [];
      expect(Number(mebibytes)).toBeLessThanOrEqual(64);
    });

    test('begins again when its device is lost, and says so', async () => {
      const panel = await open(`${demo.url}?backend=webgpu`);
      await panel.press('Start');
      await panel.reaches(22, 120);
      const shown = await panel.stepsShown();
      const session = await chromium.browser.target().createCDPSession();
      await session.send('Browser.crashGpuProcess');
      await panel.hears(/^The GPU device was lost, and the training with it\. It goes on from the start\.$/);
      await panel.reaches(22, 120);
      await panel.rest();
      expect(Math.min(...(await shown()))).toBeLessThan(20);
      const { step, crossEntropy } = await panel.figures();
      expect(Math.abs(crossEntropy - expected.crossEntropy[step]!)).toBeLessThan(CLOSE);
      expect((await panel.texts()).map((each) => each.step)).toEqual(looksUntil(step));
    });

    test('gives way to bigrams, and they to it', async () => {
      const panel = await open();
      await panel.press('Start');
      await panel.reaches(3);
      await panel.select('Model', 'bigrams');
      await panel.hears(/^Ready: a model of 1,024 tokens, untrained\.$/);
      await byText(panel.root, 'button', 'Start');
      expect(await figuresOf(panel.root)).toHaveProperty('floor');
      const values = async (name: string) =>
        (await byName(panel.root, name)).evaluate((list) => (list as HTMLSelectElement).value);
      expect(await values('Learning rate')).toBe('0.1');
      await panel.select('Model', 'head');
      await panel.hears(/^Ready: a language model of 1,024 tokens/);
      expect(await values('Learning rate')).toBe(String(RATE));
      expect(await panel.figures()).toMatchObject({ step: 0 });
      expect(await panel.texts()).toEqual([]);
    });

    test('keys alone do', async () => {
      const panel = await open();
      const { keyboard } = panel.page;
      await (await byName(panel.root, 'Model')).focus();
      await keyboard.press('ArrowUp');
      await panel.hears(/^Ready: a model of 1,024 tokens/);
      await keyboard.press('ArrowDown');
      await panel.hears(/^Ready: a language model of 1,024 tokens/);
      // The focus stays where it is.
      expect(await panel.page.evaluate(() => (document.activeElement as HTMLSelectElement).value)).toBe(
        'head',
      );
    });

    for (const [name, viewport, scheme] of [
      ['desktop-light', { width: 1280, height: 900 }, 'light'],
      [
        'phone-dark',
        { width: 360, height: 740, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
        'dark',
      ],
    ] as const) {
      test(`has its place on a ${name.replace('-', ', ')}`, async () => {
        const panel = await open(undefined, viewport);
        const { page } = panel;
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        await panel.press('Start');
        await panel.reaches(62, 60);
        await panel.rest();
        await keepPicture(panel.root, `demo-head-${name}`);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
        const outside = await panel.root.$$eval('*', (all) =>
          all
            .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth + 1)
            .map((each) => `${each.tagName}.${each.className}`),
        );
        expect(outside).toEqual([]);
      });
    }
  });
});
