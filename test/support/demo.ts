// The demo as it is published: built once for a group of tests, and served from a folder below others.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ElementHandle, Page } from 'puppeteer-core';
import { build } from 'vite';
import { serve } from './site.js';

export const demoConfig: string = fileURLToPath(new URL('../../demo/vite.config.ts', import.meta.url));
const artifacts = fileURLToPath(new URL('../artifacts', import.meta.url));

export interface Demo {
  /** Of the demo; takes a query. */
  readonly url: string;
  /** The same in a browser that has no WebGPU, neither in pages nor in workers. */
  readonly urlWithoutWebGpu: string;
  close(): Promise<void>;
}

/** Puts an end to WebGPU before anything of the demo runs. */
const WITHOUT_WEBGPU = "Object.defineProperty(navigator, 'gpu', { value: undefined });\n";

/** @param inWorkers runs in each worker before anything else */
export async function serveDemo({ inWorkers }: { readonly inWorkers?: string } = {}): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), 'webgpu-loss-demo-'));
  const removed = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const whole = join(folder, 'some', 'project');
    await build({ configFile: demoConfig, logLevel: 'warn', build: { outDir: whole } });
    if (inWorkers !== undefined) await prependToWorkers(whole, inWorkers);
    const without = join(folder, 'without', 'webgpu');
    await mkdir(join(folder, 'without'));
    await cp(whole, without, { recursive: true });
    await prepend(without, WITHOUT_WEBGPU);
    const site = await serve(folder);
    return {
      url: `${site.url}some/project/`,
      urlWithoutWebGpu: `${site.url}without/webgpu/`,
      async close() {
        await site.close();
        await removed();
      },
    };
  } catch (error) {
    await removed();
    throw error;
  }
}

/** Writes `code` before the scripts of the page and of its workers. */
async function prepend(folder: string, code: string): Promise<void> {
  const index = join(folder, 'index.html');
  await writeFile(index, (await readFile(index, 'utf8')).replace('<head>', `<head><script>${code}</script>`));
  await prependToWorkers(folder, code);
}

async function prependToWorkers(folder: string, code: string): Promise<void> {
  const scripts = (await readdir(join(folder, 'assets'))).filter((name) => /^worker.*\.js$/.test(name));
  if (scripts.length === 0) throw new Error('the demo has no worker script to write before');
  for (const name of scripts) {
    const script = join(folder, 'assets', name);
    await writeFile(script, code + (await readFile(script, 'utf8')));
  }
}

/** Keeps a picture of the page, or of a part of it, in `test/artifacts`, for people to look at. */
export async function keepPicture(of: Page | ElementHandle, name: string): Promise<void> {
  await mkdir(artifacts, { recursive: true });
  await of.screenshot({
    path: join(artifacts, `${name}.png`) as `${string}.png`,
    ...('goto' in of && { fullPage: true }),
  });
}

/** The element of `selector` in `root` whose text is `text`. Throws where there is none, with what there is. */
export async function byText(
  root: Page | ElementHandle,
  selector: string,
  text: string,
): Promise<ElementHandle> {
  const all = await root.$$(selector);
  const texts: string[] = [];
  for (const each of all) {
    const found = await each.evaluate((node) => node.textContent ?? '');
    if (found === text) return each;
    texts.push(found);
  }
  throw new Error(`there is no ${selector} "${text}", only: ${texts.join(' | ')}`);
}

/** The control with an accessible name, as screen readers know it. */
export async function byName(root: Page | ElementHandle, name: string): Promise<ElementHandle> {
  const found = await root.$(`aria/${name}`);
  if (found === null) throw new Error(`there is no control named "${name}"`);
  return found;
}

/** The figures below `root` by their names. */
export function figuresOf(root: ElementHandle | Page, within = ''): Promise<Record<string, string>> {
  return root.$$eval(`${within} dd[data-figure]`, (all) =>
    Object.fromEntries(all.map((dd) => [dd.getAttribute('data-figure'), dd.textContent ?? ''])),
  );
}

/** A panel of the demo on a page, as a person finds their way in it. */
export class DemoPanel {
  readonly page: Page;
  readonly root: ElementHandle;

  constructor(page: Page, root: ElementHandle) {
    this.page = page;
    this.root = root;
  }

  /** What its status line says. */
  said(): Promise<string> {
    return this.root.$eval('[role=status]', (line) => line.textContent ?? '');
  }

  /** Clicks the button that says `label`. */
  async press(label: string): Promise<void> {
    await (await byText(this.root, 'button', label)).click();
  }
}

/**
 * Waits until `probe` gives something but undefined or false. Throws after `seconds`, with what `wanted` says and, if given, what
 * there is instead.
 */
export async function until<T>(
  wanted: string,
  probe: () => Promise<T | undefined | false>,
  { seconds = 60, instead }: { readonly seconds?: number; readonly instead?: () => Promise<unknown> } = {},
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) {
      const seen = instead === undefined ? '' : `; there is ${JSON.stringify(await instead())}`;
      throw new Error(`waited ${seconds} s for: ${wanted}${seen}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Waits until all panels have opened what they compute on and show their first figures. Nothing on the page moves by itself after that,
 * not even smoothly to what gets the focus: a click on what moves would miss it.
 */
export async function ready(page: Page): Promise<void> {
  await page.evaluate(() => {
    document.documentElement.style.scrollBehavior = 'auto';
  });
  for (const panel of ['#train', '#see', '#measure']) {
    await until(
      `the figures of ${panel}`,
      async () => !Object.values(await figuresOf(page, panel)).includes('…'),
    );
  }
}
