// The panel See, as a person uses it: mouse, fingers and keys. What it shows is compared with the float64 oracle, to the digits shown.
import type { ElementHandle, Page } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drawOutcomes } from '../../demo/see/underflow.js';
import * as oracle from '../../src/cpu.js';
import { describeInChromium } from '../support/chromium.js';
import { byName, byText, type Demo, figuresOf, ready, serveDemo, until } from '../support/demo.js';

/** Half of the last digit shown, and what float32 may be off by at a few nats. */
const SHOWN = 0.5e-4 + 1e-6;

/** `1.1648 nats (1.6805 bits)` */
function readNats(text: string): number {
  if (text === 'infinite') return Number.POSITIVE_INFINITY;
  const [, nats, bits] = /^(\d+\.\d{4}) nats \((\d+\.\d{4}) bits\)$/.exec(text) ?? [];
  if (nats === undefined) throw new Error(`"${text}" is no quantity`);
  expect(Math.abs(Number(nats) / Math.LN2 - Number(bits))).toBeLessThan(1.3e-4);
  return Number(nats);
}

function near(shown: number, exact: number): boolean {
  return shown === exact || Math.abs(shown - exact) <= SHOWN;
}

/** A part of the panel, by its heading. */
async function partOf(page: Page, heading: string): Promise<ElementHandle> {
  const found = await page.evaluateHandle(
    (text) =>
      [...document.querySelectorAll('#see article')].find(
        (part) => part.querySelector('h3')?.textContent === text,
      ),
    heading,
  );
  return found as ElementHandle;
}

type Name = 'p' | 'q';

/** The percents of the bars of a distribution, as they are announced. */
function sharesOf(part: ElementHandle, name: Name): Promise<number[]> {
  return part.$$eval(
    '[role=slider][aria-valuenow]',
    (all, prefix) =>
      all
        .filter((bar) => bar.getAttribute('aria-label')?.startsWith(prefix))
        .map((bar) => {
          const now = Number(bar.getAttribute('aria-valuenow'));
          if (bar.getAttribute('aria-valuetext') !== `${now} percent`)
            throw new Error('value and text differ');
          return now;
        }),
    `${name} of `,
  );
}

/** Waits until the figures are those of the bars, by the oracle; gives the bars and the figures. */
async function agreed(
  part: ElementHandle,
): Promise<{ p: number[]; q: number[]; figures: Record<string, string> }> {
  const [p, q] = [await sharesOf(part, 'p'), await sharesOf(part, 'q')];
  for (const shares of [p, q]) expect(shares.reduce((a, b) => a + b, 0)).toBe(100);
  const [truth, belief] = [p.map((share) => share / 100), q.map((share) => share / 100)];
  const shape = [1, p.length];
  const exact: Record<string, number> = {
    entropy: oracle.entropy(truth.map(Math.log), shape).entropy[0] as number,
    crossEntropy: oracle.crossEntropy(belief.map(Math.log), Float64Array.from(truth), shape)
      .loss[0] as number,
    divergence: oracle.klDivergence(belief.map(Math.log), truth, shape, { target: 'probs' })
      .divergence[0] as number,
  };
  let figures: Record<string, string> = {};
  await until(
    `H(p), H(p, q) and D of ${p} and ${q}: ${JSON.stringify(exact)}`,
    async () => {
      figures = await figuresOf(part);
      return (
        !Object.values(figures).includes('…') &&
        Object.entries(exact).every(([name, value]) => near(readNats(figures[name] as string), value))
      );
    },
    { seconds: 20, instead: async () => figures },
  );
  return { p, q, figures };
}

/** `ElementHandle.focus` knows HTML alone. */
function focus(bar: ElementHandle): Promise<void> {
  return bar.evaluate((node) => (node as SVGElement).focus());
}

/** The middle of the bar's room at `percent` of its height. */
async function pointIn(
  page: Page,
  part: ElementHandle,
  name: string,
  percent: number,
): Promise<[number, number]> {
  const bar = await byName(part, name);
  await bar.scrollIntoView();
  const box = await (await bar.$('.room'))?.boundingBox();
  if (!box) throw new Error(`${name} is not to be seen`);
  expect(box.y + box.height).toBeLessThan(page.viewport()?.height as number);
  return [box.x + box.width / 2, box.y + box.height * (1 - percent / 100)];
}

describeInChromium('the panel See', (chromium) => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await serveDemo();
  });
  afterAll(() => demo?.close());

  async function open(query = '?backend=webgpu'): Promise<Page> {
    const page = await chromium.newPage();
    await page.setViewport({ width: 1000, height: 800 });
    await page.goto(demo.url + query);
    await ready(page);
    return page;
  }

  const said = (page: Page): Promise<string> =>
    page.$eval('#see > [role=status]', (line) => line.textContent ?? '');

  for (const [query, computes] of [
    ['?backend=webgpu', /^WebGPU computes, on .*swiftshader.*, a software adapter\.$/i],
    ['', /^WebGPU has only a software adapter here, .* so the CPU computes\.$/],
    ['?backend=cpu', /^The CPU computes, as was asked for\.$/],
  ] as const) {
    test(`a coin, with ${query || 'the default'}: the slider moves p, and H(p) follows`, async () => {
      const page = await open(query);
      const part = await partOf(page, 'The entropy of a coin');
      await until('the backend is named', async () => computes.test(await said(page)), {
        instead: () => said(page),
      });
      const agrees = async (p: number): Promise<void> => {
        const exact = oracle.entropy([Math.log(p), Math.log(1 - p)], [1, 2]).entropy[0] as number;
        await until(
          `H(${p}) = ${exact}`,
          async () => {
            const { heads, entropy = '', perplexity = '' } = await figuresOf(part);
            if (heads !== p.toFixed(3)) return false;
            expect(Math.abs(Number.parseFloat(perplexity) - Math.exp(exact))).toBeLessThan(SHOWN);
            return near(readNats(entropy), exact);
          },
          { instead: async () => ({ ...(await figuresOf(part)), said: await said(page) }) },
        );
        // Who does not see the plot is told the same, and its dot is on the curve.
        const words = await part.$eval('.plot', (plot) => plot.getAttribute('aria-label'));
        expect(words).toContain(`At p = ${p.toFixed(3)} it is ${exact.toFixed(4)} nats`);
      };
      await agrees(0.3);
      const slider = await byName(part, 'p, the probability of heads');
      await slider.focus();
      for (let k = 0; k < 3; k++) await page.keyboard.press('ArrowRight');
      await agrees(0.315);
      await page.keyboard.press('Home');
      await agrees(0);
      await page.keyboard.press('End');
      await agrees(1);
      await slider.scrollIntoView();
      const box = await slider.boundingBox();
      if (!box) throw new Error('the slider is not to be seen');
      await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
      await agrees(0.5);
    });
  }

  const DIVERGENCE = 'Entropy, cross-entropy, divergence';

  test('two distributions: dragged with the mouse, the others make room and all adds up', async () => {
    const page = await open();
    const part = await partOf(page, DIVERGENCE);
    const first = await agreed(part);
    expect(first).toMatchObject({ p: [50, 25, 20, 5], q: [25, 25, 25, 25] });

    const [x, y] = await pointIn(page, part, 'p of snow', 5);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y - 20, { steps: 4 });
    const to = await pointIn(page, part, 'p of snow', 60);
    // Far to the side: what was grasped stays grasped.
    await page.mouse.move(to[0] + 300, to[1], { steps: 4 });
    await page.mouse.up();
    const dragged = await agreed(part);
    expect(dragged.p[3]).toBe(60);
    // 50 : 25 : 20 of what is left, in whole percents.
    expect(dragged.p).toEqual([21, 11, 8, 60]);
    expect(dragged.q).toEqual(first.q);
    const [h, d, cross] = ['entropy', 'divergence', 'crossEntropy'].map((name) =>
      readNats(dragged.figures[name] as string),
    );
    expect(Math.abs((h as number) + (d as number) - (cross as number))).toBeLessThan(2e-4);
    expect(d).toBeGreaterThan(0.2);

    // Let go, it follows no longer.
    await page.mouse.move(x, y);
    expect(await sharesOf(part, 'p')).toEqual(dragged.p);

    // The stacked bars are as long together as the other one.
    const widths = await part.$$eval('.plot g[aria-label=bar] rect', (bars) =>
      bars.map((bar) => Number(bar.getAttribute('width'))),
    );
    expect(widths).toHaveLength(3);
    const [own = 0, price = 0, whole = 0] = widths;
    expect(Math.abs(own + price - whole)).toBeLessThan(2);
    expect(price).toBeGreaterThan(20);
  });

  test('two distributions: a finger drags a bar, and the page stays where it is', async () => {
    const page = await chromium.newPage();
    await page.setViewport({ width: 360, height: 740, hasTouch: true, isMobile: true, deviceScaleFactor: 2 });
    await page.goto(`${demo.url}?backend=webgpu`);
    await ready(page);
    const part = await partOf(page, DIVERGENCE);
    await agreed(part);
    const [x, y] = await pointIn(page, part, 'q of rain', 25);
    const [, top] = await pointIn(page, part, 'q of rain', 90);
    const before = await page.evaluate(() => scrollY);
    await page.touchscreen.touchStart(x, y);
    await page.touchscreen.touchMove(x, (y + top) / 2);
    await page.touchscreen.touchMove(x, top);
    await page.touchscreen.touchEnd();
    const { q } = await agreed(part);
    expect(q[2]).toBe(90);
    expect(await page.evaluate(() => scrollY)).toBe(before);
  });

  test('two distributions: keys move a bar, and a 0 in q is said to be infinite', async () => {
    const page = await open();
    const part = await partOf(page, DIVERGENCE);
    await agreed(part);
    await focus(await byName(part, 'q of snow'));
    for (const key of [
      'ArrowUp',
      'ArrowRight',
      'PageUp',
      'ArrowDown',
      'ArrowLeft',
      'PageDown',
      'PageDown',
    ] as const) {
      await page.keyboard.press(key);
    }
    // 25 + 1 + 1 + 10 - 1 - 1 - 10 - 10
    expect((await agreed(part)).q[3]).toBe(15);
    const alert = (): Promise<string> => part.$eval('[role=status]', (line) => line.textContent ?? '');
    expect(await alert()).toBe('');
    await page.keyboard.press('Home');
    const { q, figures } = await agreed(part);
    expect(q[3]).toBe(0);
    expect(figures).toMatchObject({ divergence: 'infinite', crossEntropy: 'infinite' });
    expect(await alert()).toMatch(/never snow.*infinite/);
    expect(await part.$eval('.plot', (plot) => plot.getAttribute('aria-label'))).toMatch(
      /D\(p‖q\) is infinite/,
    );
    expect(await part.$eval('.plot', (plot) => plot.textContent)).toContain('∞');

    // Where p is 0 as well, nothing is infinite: 0 log 0 is 0.
    await focus(await byName(part, 'p of snow'));
    await page.keyboard.press('Home');
    const both = await agreed(part);
    expect([both.p[3], both.q[3]]).toEqual([0, 0]);
    expect(readNats(both.figures['divergence'] as string)).toBeLessThan(1);
    expect(await alert()).toBe('');

    // All on one outcome, and back: who had nothing shares evenly.
    await page.keyboard.press('End');
    expect((await agreed(part)).p).toEqual([0, 0, 0, 100]);
  });

  test('two distributions: the buttons', async () => {
    const page = await open();
    const part = await partOf(page, DIVERGENCE);
    await agreed(part);
    const press = async (label: string) => {
      await (await byText(part, 'button', label)).click();
      return agreed(part);
    };
    const swapped = await press('Swap p and q');
    expect(swapped).toMatchObject({ p: [25, 25, 25, 25], q: [50, 25, 20, 5] });
    const same = await press('Let q be p');
    expect(same.q).toEqual(same.p);
    expect(same.figures['divergence']).toBe('0.0000 nats (0.0000 bits)');
    expect((await press('Let q rule out snow')).figures['divergence']).toBe('infinite');
    expect((await press('Let q be even')).q).toEqual([25, 25, 25, 25]);
  });

  test('likelihoods: the products underflow where floats end, the sum does not', async () => {
    const page = await open();
    const part = await partOf(page, 'Why losses are sums of logarithms');
    const model = [0.4, 0.3, 0.2, 0.1];
    const drawn = Array.from(drawOutcomes(model, 1000, 1851), (outcome) => model[outcome] as number);
    const slider = await byName(part, 'Number of examples');
    const at = async (n: number): Promise<Record<string, string>> => {
      const seen = drawn.slice(0, n);
      const sum = seen.reduce((total, p) => total + Math.log(p), 0);
      await until(
        `${n} examples`,
        async () => (await figuresOf(part))['examples'] === n.toLocaleString('en'),
      );
      const figures = await figuresOf(part);
      const shown = Number.parseFloat((figures['sum'] as string).replace('−', '-'));
      // n float32 losses of at most 2.4 nats, each off by less than 1e-6.
      expect(Math.abs(shown - sum)).toBeLessThan(SHOWN + n * 1e-6);
      expect(Math.abs(Number.parseFloat(figures['mean'] as string) + sum / n)).toBeLessThan(SHOWN);
      for (const [name, product] of [
        ['single', seen.reduce((total, p) => Math.fround(total * Math.fround(p)), 1)],
        ['double', seen.reduce((total, p) => total * p, 1)],
      ] as const) {
        const text = figures[name] as string;
        if (product === 0) expect(text).toBe('0: it has underflowed');
        // Subnormal floats have few digits left.
        else if (product > 1e-36) expect(Number(text.replace('−', '-')) / product).toBeCloseTo(1, 2);
        else expect(text).toMatch(/^\d\.\d{3}e−\d+$|^0: it has underflowed$/);
      }
      return figures;
    };
    expect((await at(60))['single']).not.toContain('underflowed');
    await slider.focus();
    await page.keyboard.press('End');
    const last = await at(1000);
    expect(last['single']).toBe('0: it has underflowed');
    expect(last['double']).toBe('0: it has underflowed');
    await page.keyboard.press('Home');
    await at(1);
    await slider.scrollIntoView();
    const box = await slider.boundingBox();
    if (!box) throw new Error('the slider is not to be seen');
    await page.mouse.click(box.x + box.width * 0.3, box.y + box.height / 2);
    const middle = await figuresOf(part);
    const n = Number(middle['examples']);
    expect(n).toBeGreaterThan(200);
    expect(n).toBeLessThan(400);
    expect((await at(n))['single']).toBe('0: it has underflowed');
    expect(middle['double']).not.toContain('underflowed');
    // Where they end, in words: the first examples of which the product is 0.
    const words = (await part.$eval('.plot', (plot) => plot.getAttribute('aria-label'))) as string;
    const [, single, double] = (/Float32 is 0 from (\d+) .* Float64 from (\d+) /.exec(words) ?? []).map(
      Number,
    );
    const log2 = (count: number): number =>
      drawn.slice(0, count).reduce((total, p) => total + Math.log2(p), 0);
    // Half of the least float, 2^-149 and 2^-1074, rounds to 0; one example is 1.3 to 3.3 powers of 2.
    for (const [end, least] of [
      [single, -149],
      [double, -1074],
    ] as const) {
      expect(log2(end as number)).toBeLessThan(least + 1);
      expect(log2((end as number) - 1)).toBeGreaterThan(least - 2);
    }
  });

  test('without WebGPU it says so, and the CPU computes the same', async () => {
    const page = await chromium.newPage();
    await page.setViewport({ width: 1000, height: 800 });
    await page.goto(demo.urlWithoutWebGpu);
    await until(
      'it says so',
      async () => (await said(page)) === 'This browser has no WebGPU here, so the CPU computes.',
    );
    await agreed(await partOf(page, DIVERGENCE));
  });

  test('a lost device is said, and the next one computes', async () => {
    const page = await open();
    const part = await partOf(page, DIVERGENCE);
    await agreed(part);
    expect(await said(page)).toMatch(/^WebGPU computes/);
    // The process with all GPU devices of the browser.
    const session = await chromium.browser.target().createCDPSession();
    await session.send('Browser.crashGpuProcess');
    await until('the loss is said', async () =>
      /^The GPU device was lost, and another context was opened\. /.test(await said(page)),
    );
    await focus(await byName(part, 'p of sun'));
    await page.keyboard.press('PageUp');
    expect((await agreed(part)).p[0]).toBe(60);
  });

  test('a device that is lost again and again gives way to the CPU', async () => {
    const page = await chromium.newPage();
    await page.evaluateOnNewDocument(() => {
      const { createCommandEncoder } = GPUDevice.prototype;
      GPUDevice.prototype.createCommandEncoder = function (...given) {
        Object.assign(window, { latestDevice: this });
        return createCommandEncoder.apply(this, given);
      };
    });
    await page.setViewport({ width: 1000, height: 800 });
    await page.goto(`${demo.url}?backend=webgpu`);
    const part = await partOf(page, DIVERGENCE);
    for (const computes of [
      /WebGPU computes/,
      /WebGPU computes/,
      /^.* It was lost 3 times, so the CPU computes\.$/,
    ]) {
      await agreed(part);
      const before = await said(page);
      await page.evaluate(() => (window as unknown as { latestDevice: GPUDevice }).latestDevice.destroy());
      await focus(await byName(part, 'p of rain'));
      await page.keyboard.press('ArrowUp');
      await until(
        `${computes}`,
        async () => computes.test(await said(page)) && (/lost/.test(before) || before !== (await said(page))),
      );
      await agreed(part);
    }
    expect((await sharesOf(part, 'p'))[2]).toBe(23);
  });
});
