// The panel Train, as a person uses it. What it shows is compared with the theory and with a training of the same model in Node.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createContext } from 'webgpu-loss';
import { buildCorpus, type Corpus, tokenize } from '../../examples/bigram/corpus.js';
import { GOAL } from '../../examples/bigram/report.js';
import { conditionalEntropy, measure } from '../../examples/bigram/theory.js';
import { openTrainer } from '../../examples/bigram/trainer.js';
import { readBook } from '../../examples/common/book.js';
import { describeInChromium } from '../support/chromium.js';
import { byName, byText, type Demo, figuresOf, keepPicture, serveDemo, until } from '../support/demo.js';
import { TrainPanel } from '../support/trainPanel.js';

/** The least vocabulary, which SwiftShader is quick with. */
const VOCABULARY = 127;

/** Half of the last digit shown, and what float32 may be off by at a few nats. */
const SHOWN = 0.5e-4 + 1e-6;

/** What the figures say, in nats. */
interface Figures {
  readonly step: number;
  readonly crossEntropy: number;
  readonly floor: number;
  readonly divergence: number;
  readonly perplexity: number;
}

/** Reads the figures, some of which say the same in two ways. */
function readFigures(shown: Record<string, string>): Figures {
  const { step = '', crossEntropy = '', floor = '', divergence = '', perplexity = '' } = shown;
  const nats = (text: string): number => {
    const [, value, bits] = /^(\d+\.\d{4}) nats \((\d+\.\d{4}) bits\)$/.exec(text) ?? [];
    if (value === undefined) throw new Error(`"${text}" is no quantity`);
    expect(Math.abs(Number(value) / Math.LN2 - Number(bits))).toBeLessThan(1.3e-4);
    return Number(value);
  };
  const [, model, best] = /^(\d+\.\d\d) \((\d+\.\d\d)\)$/.exec(perplexity) ?? [];
  const figures = {
    step: Number(step.replaceAll(',', '')),
    crossEntropy: nats(crossEntropy),
    floor: nats(floor),
    divergence: Number(/^(\S+) nats$/.exec(divergence)?.[1]),
    perplexity: Number(model),
  };
  // exp magnifies what the digits of the exponent leave open.
  for (const [value, exponent] of [
    [figures.perplexity, figures.crossEntropy],
    [Number(best), figures.floor],
  ] as const) {
    expect(Math.abs(value - Math.exp(exponent))).toBeLessThan(0.5e-2 + Math.exp(exponent) * SHOWN);
  }
  // H(q, p) = H(q) + D(q‖p), to the digits shown: three of D.
  expect(Math.abs(figures.floor + figures.divergence - figures.crossEntropy)).toBeLessThan(
    2 * SHOWN + 0.5e-2 * figures.divergence,
  );
  expect(figures.crossEntropy).toBeGreaterThanOrEqual(figures.floor);
  return figures;
}

class Panel extends TrainPanel {
  async figures(): Promise<Figures> {
    return readFigures(await figuresOf(this.root));
  }

  /** Pauses, and gives what is shown then. */
  async pause(): Promise<Figures> {
    await this.rest();
    return this.figures();
  }
}

const READY = /^Ready: a model of 128 tokens, untrained\.$/;

describeInChromium('the panel Train', (chromium) => {
  let demo: Demo;
  let corpus: Corpus;
  let floor: number;
  /** Cross-entropies of the model after 0, 1, 2, … updates in Node, on the CPU, each measured in float64. */
  const expected: number[] = [];

  beforeAll(async () => {
    demo = await serveDemo();
    corpus = buildCorpus(await readBook(), VOCABULARY);
    floor = conditionalEntropy(corpus.bigrams);
    using context = await createContext({ backend: 'cpu' });
    const trainer = await openTrainer(context, corpus.bigrams);
    for (let step = 0; step <= 200; step++) {
      expected.push(measure(corpus.bigrams, await trainer.readLogits()).crossEntropy);
      await trainer.step(0.1);
    }
    trainer.destroy();
  });
  afterAll(() => demo?.close());

  /** The panel, ready to train the least model. */
  async function open(url = `${demo.url}?backend=webgpu`, prepare?: (page: Page) => Promise<void>) {
    const page = await chromium.newPage();
    await page.setViewport({ width: 1000, height: 900 });
    await prepare?.(page);
    await page.goto(url);
    const root = await page.$('#train');
    if (root === null) throw new Error('the page has no panel Train');
    const panel = new Panel(page, root);
    await panel.hears(/^Ready: a model of 1,024 tokens/);
    await panel.select('Vocabulary', VOCABULARY);
    await panel.hears(READY);
    return panel;
  }

  for (const [where, computes] of [
    ['?backend=webgpu', /^WebGPU computes, on .*swiftshader.*, a software adapter\.$/i],
    ['', /^WebGPU has only a software adapter here, .* so the CPU computes\.$/],
    ['without', /^This browser has no WebGPU here, so the CPU computes\.$/],
  ] as const) {
    test(`trains down to the floor ${where === 'without' ? 'without WebGPU' : `with ${where || 'the default'}`}`, async () => {
      const panel = await open(where === 'without' ? demo.urlWithoutWebGpu : demo.url + where);
      expect(await panel.computing()).toMatch(computes);

      // Untrained: every token equally likely.
      const before = await panel.figures();
      expect(before.step).toBe(0);
      expect(Math.abs(before.crossEntropy - Math.log(128))).toBeLessThan(SHOWN);
      expect(Math.abs(before.floor - floor)).toBeLessThan(SHOWN);

      await panel.press('Start');
      await panel.reaches(5);
      const early = await panel.pause();
      expect(early.step).toBeLessThan(200);
      // The same steps in Node, where the last bits differ.
      expect(Math.abs(early.crossEntropy - (expected[early.step] as number))).toBeLessThan(1e-3);
      expect(early.divergence).toBeLessThan(before.divergence);

      // Paused is paused.
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await panel.figures()).toEqual(early);

      await panel.press('Start');
      await panel.hears(/within 0\.01 nats of the best there is/, 120);
      await panel.hears(/^Paused at step 200: .* within the 0\.01 that count as learned\.$/, 180);
      const last = await panel.figures();
      expect(last.step).toBe(200);
      expect(last.divergence).toBeLessThan(GOAL / 10);
      expect(last.divergence).toBeGreaterThan(0);
      expect(Math.abs(last.floor - floor)).toBeLessThan(SHOWN);

      // One point for each step on both curves, from left to right and downwards.
      for (const index of [0, 1]) {
        const points = await panel.curve(index);
        expect(points).toHaveLength(201);
        expect(points.every(([x], i) => i === 0 || x > (points[i - 1] as [number, number])[0])).toBe(true);
        expect((points.at(-1) as [number, number])[1]).toBeGreaterThan(
          (points[0] as [number, number])[1] + 50,
        );
      }
      const words = await panel.root.$$eval('.plot', (all) =>
        all.map((plot) => plot.getAttribute('aria-label')),
      );
      expect(words).toHaveLength(2);
      for (const each of words) expect(each).toContain(`At step 200: ${last.crossEntropy.toFixed(4)} nats`);

      // It writes what the model knows, and not the same all the time.
      const texts = await panel.texts();
      expect(texts.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, i) => 200 - 10 * i));
      const known = new Set(corpus.vocabulary.map((token) => token.toLowerCase()));
      // Where a sentence is cut off.
      known.add('…');
      for (const { text } of texts) {
        expect(tokenize(text).length).toBeGreaterThan(1);
        expect(tokenize(text).filter((token) => !known.has(token.toLowerCase()))).toEqual([]);
      }
      expect(new Set(texts.map(({ text }) => text)).size).toBeGreaterThan(5);

      // Another 200 steps, from there.
      await panel.press('Start');
      await panel.reaches(205);
      expect((await panel.pause()).divergence).toBeLessThan(GOAL / 10);

      await panel.press('Reset');
      await panel.hears(READY);
      expect(await panel.figures()).toEqual(before);
      expect(await panel.texts()).toEqual([]);
    });
  }

  test('a lower learning rate, set while it trains, brings the model nearer to the best', async () => {
    const panel = await open();
    await panel.select('Learning rate', 1);
    await panel.press('Start');
    await panel.reaches(60);
    const high = await panel.figures();
    await panel.select('Learning rate', 0.02);
    await panel.hears(/^Paused at step 200/, 120);
    const low = await panel.figures();
    // At a rate of 1 it stays in the thousandths.
    expect(high.divergence).toBeGreaterThan(1e-3);
    expect(low.divergence).toBeLessThan(high.divergence / 20);
  });

  test('another vocabulary is another model, untrained', async () => {
    const panel = await open(`${demo.url}?backend=cpu`);
    await panel.press('Start');
    await panel.reaches(12);
    await panel.select('Vocabulary', 255);
    await panel.hears(/^Ready: a model of 256 tokens, untrained\.$/);
    const { step, crossEntropy, floor: shown } = await panel.figures();
    const larger = buildCorpus(await readBook(), 255);
    expect(step).toBe(0);
    expect(Math.abs(crossEntropy - Math.log(256))).toBeLessThan(SHOWN);
    expect(Math.abs(shown - conditionalEntropy(larger.bigrams))).toBeLessThan(SHOWN);
    expect(await panel.texts()).toEqual([]);
    // Nor does it train by itself.
    await byText(panel.root, 'button', 'Start');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await panel.figures()).step).toBe(0);
  });

  test('keys alone do', async () => {
    const panel = await open(`${demo.url}?backend=cpu`);
    const { keyboard } = panel.page;
    const focused = (): Promise<string> =>
      panel.page.evaluate(() => {
        const { activeElement: element } = document;
        return element instanceof HTMLSelectElement
          ? (element.labels[0]?.textContent ?? '')
          : (element?.textContent ?? '');
      });
    await (await byText(panel.root, 'button', 'Start')).focus();
    await keyboard.press('Enter');
    await panel.reaches(3);
    // The focus stays where it is, on what is now called otherwise.
    expect(await focused()).toBe('Pause');
    await keyboard.press('Space');
    await panel.hears(/^Paused at step/);
    await keyboard.press('Tab');
    expect(await focused()).toBe('Reset');
    await keyboard.press('Space');
    await panel.hears(READY);
    await keyboard.press('Tab');
    expect(await focused()).toBe('Model');
    await keyboard.press('Tab');
    expect(await focused()).toBe('Learning rate');
    await keyboard.press('Tab');
    expect(await focused()).toBe('Vocabulary');
    await keyboard.press('ArrowDown');
    await panel.hears(/^Ready: a model of 256 tokens/);
    await keyboard.press('Tab');
    expect(await panel.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe(
      'What the model writes',
    );
  });

  test('the page answers while a large model trains on the CPU', async () => {
    const panel = await open(`${demo.url}?backend=cpu`);
    await panel.select('Vocabulary', 2047);
    await panel.hears(/^Ready: a model of 2,048 tokens/);
    await panel.press('Start');
    await panel.hears(/^Training/);
    // The longest time from one frame to the next within some seconds.
    const longestWait = () =>
      panel.page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            const start = performance.now();
            let last = start;
            let longest = 0;
            const frame = (): void => {
              const now = performance.now();
              longest = Math.max(longest, now - last);
              last = now;
              if (now - start > 4000) resolve(longest);
              else requestAnimationFrame(frame);
            };
            requestAnimationFrame(frame);
          }),
      );
    // Others use the two cores as well, one of which trains, and may keep the page waiting once, or twice. Frames of a page that computed
    // the steps itself would always be as far apart as these: far from the blink of an eye.
    await until('frames without a long wait while it trains', async () => {
      const before = (await panel.figures()).step;
      const longest = await longestWait();
      await byText(panel.root, 'button', 'Pause');
      return (await panel.figures()).step > before && longest < 500;
    });
  });

  for (const [how, lose] of [
    [
      'with the process of the GPU',
      async () => {
        const session = await chromium.browser.target().createCDPSession();
        await session.send('Browser.crashGpuProcess');
      },
    ],
    [
      'in the middle of a step',
      async (panel: Panel) => {
        await (await panel.worker()).evaluate(() => {
          const { submit } = GPUQueue.prototype;
          const { createCommandEncoder } = GPUDevice.prototype;
          let device: GPUDevice | undefined;
          GPUDevice.prototype.createCommandEncoder = function (...given) {
            device ??= this;
            return createCommandEncoder.apply(this, given);
          };
          GPUQueue.prototype.submit = function (...given) {
            submit.apply(this, given);
            if (device === undefined) return;
            GPUQueue.prototype.submit = submit;
            GPUDevice.prototype.createCommandEncoder = createCommandEncoder;
            device.destroy();
          };
        });
      },
    ],
  ] as const) {
    test(`a device lost ${how} is said, and the training goes on`, async () => {
      const panel = await open();
      await panel.press('Start');
      await panel.reaches(32);
      await lose(panel);
      const said = await panel.hears(
        /^The GPU device was lost, and the training with it\. It goes on from step \d+0, where the model was last read\.$/,
      );
      const step = Number(/from step (\d+)/.exec(said)?.[1]);
      expect(step).toBeGreaterThanOrEqual(30);
      expect(await panel.computing()).toMatch(
        /^The GPU device was lost, and another context was opened\. WebGPU computes, on/,
      );
      expect((await panel.texts())[0]?.step).toBeGreaterThanOrEqual(step);
      await panel.hears(/^Paused at step 200: .* within the 0\.01/, 180);
      expect((await panel.figures()).divergence).toBeLessThan(GOAL / 10);
      // Each step once, also those that were done twice.
      expect(await panel.curve(0)).toHaveLength(201);
    });
  }

  test('a device lost before the training is said too, and the next one trains', async () => {
    const panel = await open();
    const session = await chromium.browser.target().createCDPSession();
    await session.send('Browser.crashGpuProcess');
    await until('the loss is said', async () =>
      (await panel.computing()).startsWith('The GPU device was lost, and another context was opened.'),
    );
    await panel.press('Start');
    await panel.reaches(5);
    expect((await panel.pause()).step).toBeGreaterThanOrEqual(5);
  });

  test('a reset gives back what the training held on the device', async () => {
    const panel = await open();
    const worker = await panel.worker();
    await worker.evaluate(() => {
      const { createBuffer } = GPUDevice.prototype;
      const { destroy } = GPUBuffer.prototype;
      const held = new Map<GPUBuffer, number>();
      GPUDevice.prototype.createBuffer = function (wanted) {
        const made = createBuffer.call(this, wanted);
        held.set(made, wanted.size);
        return made;
      };
      GPUBuffer.prototype.destroy = function () {
        held.delete(this);
        return destroy.call(this);
      };
      Object.assign(globalThis, { held });
    });
    // Bytes.
    const held = (): Promise<number> =>
      worker.evaluate(() => {
        const { held } = globalThis as unknown as { held: Map<GPUBuffer, number> };
        return [...held.values()].reduce((sum, size) => sum + size, 0);
      });
    await panel.press('Start');
    await panel.reaches(25);
    await panel.pause();
    // Logits, gradient, targets, and two averages.
    expect(await held()).toBeGreaterThanOrEqual(5 * 4 * 128 * 128);
    await panel.press('Reset');
    await panel.hears(READY);
    expect(await held()).toBeLessThan(4 * 128 * 128);
  });

  test('a vocabulary for which there is no memory is refused, and the model stays', async () => {
    const panel = await open();
    await (await panel.worker()).evaluate(() => {
      const Whole = Uint32Array;
      globalThis.Uint32Array = new Proxy(Whole, {
        construct(target, given: [number]) {
          if (given[0] > 1e6) throw new RangeError('Array buffer allocation failed');
          return new target(...given);
        },
      });
    });
    await panel.select('Vocabulary', 4095);
    await panel.hears(
      /^There is no memory for 4,095 tokens \(Array buffer allocation failed\); choose fewer\. The model still has 127\.$/,
    );
    expect(
      await (await byName(panel.root, 'Vocabulary')).evaluate((list) => (list as HTMLSelectElement).value),
    ).toBe('127');
    await panel.press('Start');
    await panel.reaches(3);
  });

  test('what a device cannot hold is said, and a smaller model can be trained', async () => {
    const panel = await open();
    await (await panel.worker()).evaluate(() => {
      const { createBuffer } = GPUDevice.prototype;
      GPUDevice.prototype.createBuffer = function (wanted) {
        // The device itself finds that too large.
        const size = wanted.label === 'bigram: logits' && wanted.size > 128 * 128 * 4 ? 2 ** 50 : wanted.size;
        return createBuffer.call(this, { ...wanted, size });
      };
    });
    await panel.select('Vocabulary', 255);
    await panel.hears(/^Ready: a model of 256/);
    await panel.press('Start');
    await panel.hears(
      /^The training failed and is back at its start: There is no room for five matrices of 256 × 256: allocating the matrices failed: /,
    );
    await byText(panel.root, 'button', 'Start');
    await panel.select('Vocabulary', VOCABULARY);
    await panel.hears(READY);
    await panel.press('Start');
    await panel.reaches(3);
  });

  test('who wants less motion sees it once a second', async () => {
    /** How often the step changes in a second. */
    const changes = async (panel: Panel): Promise<number> => {
      await panel.press('Start');
      await panel.reaches(1);
      return panel.root.$eval(
        '[data-figure=step]',
        (figure) =>
          new Promise<number>((resolve) => {
            let count = 0;
            new MutationObserver(() => count++).observe(figure, { childList: true });
            const start = performance.now();
            // A busy machine may end it late.
            setTimeout(() => resolve(count / ((performance.now() - start) / 1000)), 3000);
          }),
      );
    };
    const url = `${demo.url}?backend=cpu`;
    const calm = await changes(
      await open(url, (page) =>
        page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]),
      ),
    );
    expect(calm).toBeGreaterThan(0);
    // One more than seconds, at most.
    expect(calm).toBeLessThanOrEqual(4 / 3);
    expect(await changes(await open(url))).toBeGreaterThan(4 / 3);
  });

  for (const [device, viewport] of [
    ['desktop', { width: 1280, height: 900 }],
    ['phone', { width: 390, height: 844, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }],
  ] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      test(`fits a ${device}, ${scheme}`, async () => {
        const panel = await open(`${demo.url}?backend=cpu`, async (page) => {
          await page.setViewport(viewport);
          await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        });
        await panel.press('Start');
        await panel.reaches(75);
        await panel.pause();
        await keepPicture(panel.root, `train-${device}-${scheme}`);
        const [wide, seen] = await panel.page.evaluate(() => [
          document.documentElement.scrollWidth,
          document.documentElement.clientWidth,
        ]);
        expect(wide).toBeLessThanOrEqual(seen as number);
      });
    }
  }
});
