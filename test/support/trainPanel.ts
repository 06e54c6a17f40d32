// The panel Train of the demo, whichever model it trains.
import type { WebWorker } from 'puppeteer-core';
import { byName, DemoPanel, figuresOf, until } from './demo.js';

export class TrainPanel extends DemoPanel {
  computing(): Promise<string> {
    return this.root.$eval('.computing', (line) => line.textContent ?? '');
  }

  async select(name: string, value: number | string): Promise<void> {
    await (await byName(this.root, name)).select(String(value));
  }

  /** Waits until the status line says something, and gives what it says. */
  hears(what: RegExp, seconds = 60): Promise<string> {
    const heard = async () => {
      const said = await this.said();
      return what.test(said) && said;
    };
    return until(String(what), heard, { seconds, instead: () => this.said() });
  }

  async reaches(step: number, seconds = 60): Promise<void> {
    const reached = async () => Number((await figuresOf(this.root))['step']?.replaceAll(',', ''));
    await until(`step ${step}`, async () => (await reached()) >= step, { seconds, instead: reached });
  }

  /** Keeps the steps that are shown from now on, however shortly; what it gives tells them. */
  async stepsShown(): Promise<() => Promise<number[]>> {
    const steps = await this.root.evaluateHandle((root) => {
      const figure = root.querySelector('[data-figure=step]') as HTMLElement;
      const all: number[] = [];
      const note = () => all.push(Number(figure.textContent?.replaceAll(',', '')));
      new MutationObserver(note).observe(figure, { childList: true });
      return all;
    });
    return () => steps.evaluate((all) => all);
  }

  /** Pauses, and waits until it has. */
  async rest(): Promise<void> {
    await this.press('Pause');
    await this.hears(/^Paused at step/);
  }

  /** Texts by the steps that they are of, newest first. */
  texts(): Promise<{ step: number; text: string }[]> {
    return this.root.$$eval('.texts p', (lines) =>
      lines.map((line) => {
        const step = line.querySelector('b')?.textContent ?? '';
        return {
          step: Number(step.replace(/\D/g, '')),
          text: (line.textContent ?? '').slice(step.length).trim(),
        };
      }),
    );
  }

  /** The points of the first curve of a plot, as they lie on the screen: y grows downwards. */
  async curve(index: number): Promise<[number, number][]> {
    const plot = (await this.root.$$('.plot'))[index];
    const path = await plot?.$eval('[aria-label=line] path', (line) => line.getAttribute('d') ?? '');
    return [...(path ?? '').matchAll(/[ML]?(-?[\d.]+),(-?[\d.]+)/g)].map(([, x, y]) => [
      Number(x),
      Number(y),
    ]);
  }

  async worker(): Promise<WebWorker> {
    return until('the worker that trains', async () => {
      for (const each of this.page.workers()) {
        if ((await each.evaluate(() => self.name)) === 'train') return each;
      }
      return undefined;
    });
  }
}
