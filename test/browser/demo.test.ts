// The demo as a whole: on a phone and a desktop, in light and dark, by keyboard, as screen readers know it, and as `npm run demo` serves it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, SerializedAXNode, Viewport } from 'puppeteer-core';
import { createServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInChromium } from '../support/chromium.js';
import {
  byName,
  type Demo,
  demoConfig,
  figuresOf,
  keepPicture,
  ready,
  serveDemo,
  until,
} from '../support/demo.js';

const VIEWPORTS: Readonly<Record<string, Viewport>> = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 360, height: 740, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
};

/** Roles of what people operate, or cannot do without. */
const NAMED =
  /^(button|link|slider|spinbutton|textbox|combobox|progressbar|image|img|region|form|group|navigation)$/;

/** Pairs of colours of style.css: what stands on what, and how far it must stand out. */
const PAIRS: readonly (readonly [over: string, under: string, ratio: number])[] = [
  ...['page', 'surface', 'sunken'].flatMap((under) => [
    ['text', under, 4.5] as const,
    ['accent', under, 4.5] as const,
  ]),
  ['muted', 'page', 4.5],
  ['muted', 'surface', 4.5],
  ['on-accent', 'accent', 4.5],
  ['warning', 'surface', 3],
  ['faint', 'surface', 3],
  // Names of bars stand on them.
  ...[1, 2, 3, 4].map((k) => ['surface', `series-${k}`, 4.5] as const),
];

/** Texts on the page that stand out too little from what is behind them; `ratios` of pairs of colours. */
function contrasts(page: Page): Promise<{ faint: string[]; ratios: number[] }> {
  return page.evaluate((pairs) => {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('there is no canvas');
    const channels = (color: string): number[] => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (color: string): number => {
      const [r = 0, g = 0, b = 0] = channels(color).map((value) => {
        const share = value / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a: string, b: string): number => {
      const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
      return (light + 0.05) / (dark + 0.05);
    };
    const behind = (element: Element | null): string => {
      if (element === null) return 'white';
      const { backgroundColor } = getComputedStyle(element);
      return channels(backgroundColor)[3] === 255 ? backgroundColor : behind(element.parentElement);
    };
    const faint = [...document.querySelectorAll('body *')].flatMap((element) => {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent?.trim());
      const isDrawn = element instanceof SVGElement;
      // Who is disabled may be faint; names on bars are among the pairs.
      if (!own || isDrawn || !element.checkVisibility() || element.matches(':disabled, noscript, style'))
        return [];
      const ratio = contrast(getComputedStyle(element).color, behind(element));
      return ratio < 4.5
        ? [`${element.tagName} "${element.textContent?.slice(0, 40)}": ${ratio.toFixed(2)}`]
        : [];
    });
    const style = getComputedStyle(document.documentElement);
    const variable = (name: string): string => style.getPropertyValue(`--${name}`);
    return { faint, ratios: pairs.map(([over, under]) => contrast(variable(over), variable(under))) };
  }, PAIRS);
}

function nodesOf(node: SerializedAXNode): SerializedAXNode[] {
  return [node, ...(node.children ?? []).flatMap(nodesOf)];
}

/** What has the focus, as people know it. */
function focused(page: Page): Promise<{ name: string; isMarked: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement as HTMLInputElement;
    const { outlineStyle } = getComputedStyle(element);
    const room = element.querySelector('.room');
    return {
      name:
        element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent ?? '',
      isMarked: outlineStyle !== 'none' || (room !== null && getComputedStyle(room).stroke !== 'none'),
    };
  });
}

describeInChromium('the demo', (chromium) => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await serveDemo();
  });
  afterAll(() => demo?.close());

  for (const scheme of ['light', 'dark']) {
    for (const [device, viewport] of Object.entries(VIEWPORTS)) {
      test(`on a ${device}, ${scheme}: all has its place, and can be read`, async () => {
        const page = await chromium.newPage();
        await page.setViewport(viewport);
        await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
        await page.goto(`${demo.url}?backend=webgpu`);
        await ready(page);
        // With results, which are the widest things of all.
        const classes = await byName((await page.$('#measure')) as never, 'Classes');
        await classes.click({ count: 3 });
        await classes.type('64');
        await classes.press('Enter');
        await until('results', () => page.$('#measure tbody tr'));
        await until('the run is over', async () =>
          page.$eval('#measure button[type=submit]', (button) => !(button as HTMLButtonElement).disabled),
        );
        await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
        await keepPicture(page, `demo-${device}-${scheme}`);

        const { faint, ratios } = await contrasts(page);
        expect(faint).toEqual([]);
        for (const [k, [over, under, least]] of PAIRS.entries()) {
          expect(ratios[k], `${over} on ${under}`).toBeGreaterThanOrEqual(least);
        }
        // Nothing sticks out: the page scrolls in one direction alone.
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
        const outside = await page.$$eval('body *', (all) =>
          all
            .filter(
              (element) =>
                element.checkVisibility() && !element.closest('.table') && !element.matches('.skip'),
            )
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
            .map((element) => `${element.tagName}.${element.className}`),
        );
        expect(outside).toEqual([]);
      });
    }
  }

  test('screen readers know all by name', async () => {
    const page = await chromium.newPage();
    await page.goto(`${demo.url}?backend=cpu`);
    await ready(page);
    const tree = await page.accessibility.snapshot({ interestingOnly: false });
    if (tree === null) throw new Error('there is no accessibility tree');
    const named = nodesOf(tree).filter(({ role }) => NAMED.test(role));
    expect(named.filter(({ name }) => !name?.trim())).toEqual([]);
    const names = named.map(({ role, name }) => `${role}: ${name}`);
    for (const name of [
      'navigation: Panels',
      'link: Measure',
      'button: Start',
      'combobox: Model',
      'combobox: Learning rate',
      'region: See',
      'slider: p, the probability of heads',
      'slider: q of snow',
      'slider: Number of examples',
      'button: Swap p and q',
      'combobox: Operation',
      'spinbutton: Rows',
      'progressbar: How much is measured',
    ]) {
      expect(names).toContain(name);
    }
    const headings = nodesOf(tree).filter(({ role }) => role === 'heading');
    expect(headings.filter(({ level }) => level === 1)).toHaveLength(1);
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('en');
  });

  test('the keyboard reaches all in the order of the page, and shows where it is', async () => {
    const page = await chromium.newPage();
    await page.setViewport(VIEWPORTS['desktop'] as Viewport);
    await page.goto(`${demo.url}?backend=cpu`);
    await ready(page);
    const expected = await page.$$eval(
      'a, button, input, select, textarea, summary, [tabindex="0"]',
      (all) => all.filter((element) => element.checkVisibility() && !element.matches(':disabled')).length,
    );
    const names: string[] = [];
    for (let k = 0; k < expected; k++) {
      await page.keyboard.press('Tab');
      const { name, isMarked } = await focused(page);
      expect(isMarked, name).toBe(true);
      names.push(name);
    }
    expect(names[0]).toBe('Skip to the panels');
    expect(names.join('\n')).toContain(
      [
        'Start',
        'Reset',
        'Model',
        'Learning rate',
        'Vocabulary',
        'What the model writes',
        'p, the probability of heads',
        ...['p', 'q'].flatMap((name) =>
          ['sun', 'clouds', 'rain', 'snow'].map((kind) => `${name} of ${kind}`),
        ),
        'Let q be p',
        'Let q be even',
        'Swap p and q',
        'Let q rule out snow',
        'Number of examples',
        'Operation',
        'Rows',
        'Classes',
        'Numbers',
        'Measure',
        'Sweep over class counts',
      ].join('\n'),
    );
    // Each once.
    expect(new Set(names).size).toBeGreaterThanOrEqual(names.length - 1);
  });

  test('links go to the panels and to the other backends', async () => {
    const page = await chromium.newPage();
    await page.setViewport(VIEWPORTS['desktop'] as Viewport);
    await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
    await page.goto(demo.url);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior)).toBe('auto');
    await ready(page);
    await (await byName((await page.$('nav.panels')) as never, 'See')).click();
    // Below the bar with the links, which stays at the top.
    await until('the panel is at the top', () =>
      page.evaluate(() => {
        const top = document.querySelector('#see h2')?.getBoundingClientRect().top ?? -1;
        const bar = document.querySelector('nav.panels')?.getBoundingClientRect().bottom ?? 0;
        return top >= bar && top < innerHeight / 2;
      }),
    );
    const current = (): Promise<string[]> =>
      page.$$eval('nav.backends [aria-current]', (links) => links.map((link) => link.textContent ?? ''));
    expect(await current()).toEqual(['Hardware WebGPU, else the CPU']);
    await Promise.all([page.waitForNavigation(), (await byName(page, 'Any WebGPU, software too')).click()]);
    await ready(page);
    expect(new URL(page.url()).search).toBe('?backend=webgpu');
    expect(await current()).toEqual(['Any WebGPU, software too']);
    expect((await figuresOf(page, '#measure'))['adapter']).toMatch(/swiftshader/i);
  });

  test('a backend that does not exist is said, and the page works', async () => {
    const page = await chromium.newPage();
    await page.goto(`${demo.url}?backend=gpu`);
    await ready(page);
    expect(await page.$eval('#complaint', (line) => [line.textContent, line.checkVisibility()])).toEqual([
      'There is no backend "gpu". Use ?backend=auto, webgpu or cpu; this page now runs as with auto.',
      true,
    ]);
  });

  test('npm run demo serves it from the sources, without a build of the library', async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), 'webgpu-loss-vite-'));
    const server = await createServer({
      configFile: demoConfig,
      cacheDir,
      logLevel: 'warn',
      server: { host: '127.0.0.1', port: 0 },
    });
    try {
      await server.listen();
      const page = await chromium.newPage();
      await page.goto(`${server.resolvedUrls?.local[0]}?backend=webgpu`);
      await ready(page);
      expect((await figuresOf(page, '#measure'))['adapter']).toMatch(/swiftshader/i);
    } finally {
      await server.close();
      await rm(cacheDir, { recursive: true, force: true });
    }
  });
});
