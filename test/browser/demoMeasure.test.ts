// The panel Measure, as a person uses it. Times are never judged: what is checked is that the figures are those of the rows, that the rows
// are those of the benches, and that nothing wrong is timed.
import type { ElementHandle, Page, WebWorker } from 'puppeteer-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseRows, type Row } from '../../bench/report/row.js';
import { describeInChromium } from '../support/chromium.js';
import { byName, type Demo, DemoPanel, figuresOf, ready, serveDemo, until } from '../support/demo.js';

const CONTENDERS = ['WebGPU', 'copy by WebGPU', 'CPU', 'copy by the CPU'];

/**
 * A clock that neither stands still nor leaps, however busy the machine is: else nothing is timed where one execution had to wait for
 * seconds, or where a sample was over before a coarse clock moved on.
 */
const STEADY_CLOCK = `{
  const read = performance.now.bind(performance);
  let last = read();
  let shown = last;
  performance.now = () => {
    const now = read();
    shown += Math.min(Math.max(now - last, 0.01), 100);
    last = now;
    return shown;
  };
}
`;

interface Line {
  readonly shape: string;
  readonly on: string;
  readonly cells: readonly string[];
}

class Panel extends DemoPanel {
  complaint(): Promise<string> {
    return this.root.$eval('[role=alert]', (line) => line.textContent ?? '');
  }

  async fill(values: {
    readonly rows?: string;
    readonly classes?: string;
    readonly op?: string;
    readonly dtype?: string;
  }) {
    for (const [name, value] of [
      ['Rows', values.rows],
      ['Classes', values.classes],
    ] as const) {
      if (value === undefined) continue;
      const input = await byName(this.root, name);
      await input.focus();
      await input.evaluate((field) => (field as HTMLInputElement).select());
      await this.page.keyboard.press('Backspace');
      if (value !== '') await input.type(value);
    }
    if (values.op) await (await byName(this.root, 'Operation')).select(values.op);
    if (values.dtype) await (await byName(this.root, 'Numbers')).select(values.dtype);
  }

  /** What is measured right now. */
  doing(): Promise<string> {
    return this.root.$eval('progress + small', (line) => line.textContent ?? '');
  }

  isBusy(): Promise<boolean> {
    return this.root.$eval('button[type=submit]', (button) => (button as HTMLButtonElement).disabled);
  }

  /** Waits until the run is over, and gives what was measured: as JSON, and as the table shows it. */
  async finished(): Promise<{ rows: readonly Row[]; lines: readonly Line[] }> {
    await until('the run is over', async () => !(await this.isBusy()), { seconds: 180 });
    return { rows: await this.rows(), lines: await this.lines() };
  }

  async rows(): Promise<readonly Row[]> {
    return parseRows(await this.root.$eval('textarea', (text) => text.value), 'the panel');
  }

  lines(): Promise<Line[]> {
    return this.root.$$eval('tbody tr', (lines) =>
      lines.map((line) => {
        const [shape = '', on = '', ...cells] = [...line.children].map((cell) => cell.textContent ?? '');
        return { shape, on, cells };
      }),
    );
  }
}

/** The three digits that are shown of a number. */
const digits = (value: number): number => Number(value.toPrecision(3));
const number = (text: string): number => Number.parseFloat(text.replaceAll(',', ''));

/** The table is the rows, and the rows agree with themselves. */
function expectAgreement(rows: readonly Row[], lines: readonly Line[]): void {
  const subjects = rows.filter(({ contender }) => !contender.startsWith('copy'));
  expect(lines).toHaveLength(subjects.length);
  for (const [k, row] of subjects.entries()) {
    const { shape, on, cells } = lines[k] as Line;
    expect(shape).toBe(`${row.rows.toLocaleString('en')} × ${row.classes.toLocaleString('en')}`);
    expect(on).toBe(row.contender);
    // The reason, where there is one, is worth more than a figure that is missing.
    expect({ timed: row.timing !== undefined, leftOut: row.leftOut, wrong: row.wrong }).toEqual({
      timed: true,
    });
    const ms = row.timing?.ms.median as number;
    expect(number(cells[0] as string)).toBe(digits(ms));
    expect(number(cells[1] as string)).toBe(digits(row.bytes / ms / 1e6));
    const copy = rows.find(
      (other) =>
        other.contender === `copy by ${on === 'CPU' ? 'the CPU' : on}` && other.classes === row.classes,
    ) as Row;
    expect(copy.bytes).toBe(row.bytes);
    expect(number(cells[2] as string)).toBe(
      digits(100 * (row.timing?.ratios[copy.contender]?.median as number)),
    );
    expect(row.errorOverBound).toBeLessThanOrEqual(1);
    expect(number(cells[4] as string)).toBe(digits(row.errorOverBound as number));
  }
}

describeInChromium('the panel Measure', (chromium) => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await serveDemo({ inWorkers: STEADY_CLOCK });
  });
  afterAll(() => demo?.close());

  async function open(address = '?backend=webgpu', prepare?: (page: Page) => Promise<void>): Promise<Panel> {
    const page = await chromium.newPage();
    await page.setViewport({ width: 1000, height: 800 });
    await prepare?.(page);
    await page.goto(new URL(address, demo.url).href);
    const panel = new Panel(page, (await page.$('#measure')) as ElementHandle);
    await ready(page);
    return panel;
  }

  /** The worker of the panel, to meddle with from outside. */
  function workerOf({ page }: Panel): Promise<WebWorker> {
    return until('the worker', async () => {
      for (const worker of page.workers()) {
        if ((await worker.evaluate(() => self.name)) === 'measure') return worker;
      }
      return undefined;
    });
  }

  test('names the adapter and its limits', async () => {
    const panel = await open();
    expect(await panel.said()).toMatch(/^WebGPU computes, on .*swiftshader.*, a software adapter\.$/i);
    const limits = await panel.page.evaluate(async () => {
      const adapter = await navigator.gpu.requestAdapter();
      return {
        buffer: adapter?.limits.maxBufferSize,
        threads: adapter?.limits.maxComputeInvocationsPerWorkgroup,
      };
    });
    const figures = await figuresOf(panel.root);
    expect(figures['adapter']).toMatch(/swiftshader/i);
    expect(figures['buffer']).toBe(`${(limits.buffer as number) / 2 ** 30} GiB`);
    expect(figures['threads']).toBe(String(limits.threads));
    expect(figures['features']).toContain('subgroups');
  });

  test('measures what was asked for: the GPU, the CPU, and a copy on each', async () => {
    const panel = await open();
    await panel.fill({ op: 'crossEntropyGrad', rows: '48', classes: '100', dtype: 'bf16' });
    const progress = await panel.root.evaluateHandle((root) => {
      const bar = root.querySelector('progress') as HTMLProgressElement;
      const values: number[] = [];
      new MutationObserver(() => values.push(bar.value)).observe(bar, { attributeFilter: ['value'] });
      return values;
    });
    // Enter in a field is as good as the button.
    await (await byName(panel.root, 'Classes')).press('Enter');
    expect(await panel.isBusy()).toBe(true);
    const { rows, lines } = await panel.finished();
    const seen = await progress.evaluate((values) => values);
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    expect(rows.map(({ contender }) => contender)).toEqual(CONTENDERS);
    for (const row of rows) {
      expect(row).toMatchObject({ op: 'crossEntropyGrad', rows: 48, classes: 100, dtype: 'bf16' });
      // Logits and gradient of 2 bytes, targets of 4, and the loss.
      expect(row.bytes).toBe(2 * 48 * 100 * 2 + 48 * 4 + 4);
    }
    expect(rows.map(({ adapter }) => adapter.backend)).toEqual(['webgpu', 'webgpu', 'cpu', 'cpu']);
    expectAgreement(rows, lines);
    const [gpu, cpu] = lines as [Line, Line];
    expect(number(gpu.cells[3] as string)).toBe(digits(rows[0]?.timing?.ratios['CPU']?.median as number));
    expect(cpu.cells[3]).toBe('–');
    expect(await panel.complaint()).toBe('');
  });

  test('sweeps over class counts, and the page answers meanwhile', async () => {
    const panel = await open();
    await panel.fill({ op: 'logSumExp', rows: '8', classes: '30' });
    await panel.press('Sweep over class counts');
    // Another panel works while this one measures.
    const slider = await byName(panel.page, 'p, the probability of heads');
    await slider.press('End');
    await until('the coin moves', async () => (await figuresOf(panel.page, '#see'))['heads'] === '1.000');
    expect(await panel.isBusy()).toBe(true);
    const { rows, lines } = await panel.finished();
    // 240 logits are about 256.
    const classes = [8, 16, 32, 64, 128, 256];
    expect(lines.map(({ shape }) => shape)).toEqual(
      classes.flatMap((c) => Array(2).fill(`${256 / c} × ${c}`)),
    );
    expectAgreement(rows, lines);
    expect(await panel.root.$$eval('.plot circle', (dots) => dots.length)).toBe(4 * classes.length);
    const words = await panel.root.$eval('.plot', (plot) => plot.getAttribute('aria-label'));
    const gpu = rows.filter(({ contender }) => contender === 'WebGPU');
    expect(words).toContain(`WebGPU: ${digits(gpu[0]?.gigabytesPerSecond as number)} GB/s at 8 classes`);
  });

  test('is cancelled at once, keeps what it had, and measures again', async () => {
    const panel = await open();
    await panel.fill({ rows: '512', classes: '512' });
    await panel.press('Sweep over class counts');
    await until('a first result', async () => (await panel.lines()).length > 0);
    await panel.press('Cancel');
    expect(await panel.isBusy()).toBe(false);
    const kept = (await panel.lines()).length;
    expect(kept).toBeGreaterThan(0);
    expect(await panel.root.$$eval('[role=status]', (all) => all.map((line) => line.textContent))).toContain(
      'Cancelled. What was measured before stays.',
    );
    await panel.fill({ rows: '4', classes: '10' });
    await until('it can measure again', async () => {
      await panel.press('Measure');
      return panel.isBusy();
    });
    const { rows, lines } = await panel.finished();
    expect(lines).toHaveLength(2);
    expectAgreement(rows, lines);
  });

  test('waits until nothing else is measured, on other pages of the site too', async () => {
    const later = await open();
    await later.fill({ rows: '4', classes: '10' });
    const first = await open();
    await first.fill({ rows: '512', classes: '512' });
    await first.press('Sweep over class counts');
    await until('a first result', async () => (await first.lines()).length > 0);
    await later.page.bringToFront();
    await later.press('Measure');
    const waits = async (): Promise<boolean> =>
      (await later.isBusy()) && (await later.doing()) === 'waiting until nothing else is measured';
    await until('it waits', waits, { instead: () => later.doing() });
    const before = (await first.lines()).length;
    await until('more results of the other', async () => (await first.lines()).length > before + 2);
    expect(await waits()).toBe(true);
    await first.page.bringToFront();
    await first.press('Cancel');
    const { rows, lines } = await later.finished();
    expectAgreement(rows, lines);
  });

  test('refuses what is no size, or too large, and says what to do', async () => {
    const panel = await open();
    for (const [values, message] of [
      [{ rows: '', classes: '10' }, 'Rows must be a whole number from 1, not "".'],
      [{ rows: '0', classes: '10' }, 'Rows must be a whole number from 1, not "0".'],
      [{ rows: '10', classes: '2.5' }, 'Classes must be a whole number from 1, not "2.5".'],
      [{ rows: '10', classes: '-3' }, 'Classes must be a whole number from 1, not "-3".'],
      [
        { rows: '1000000', classes: '1000' },
        '1,000,000 rows of 1,000 classes are 1,000,000,000 logits; this page measures at most 8,388,608. Take fewer rows or classes.',
      ],
    ] as const) {
      await panel.fill(values);
      await panel.press('Measure');
      expect(await panel.complaint()).toBe(message);
      expect(await panel.isBusy()).toBe(false);
    }
    const invalid = (): Promise<number> => panel.root.$$eval('[aria-invalid]', (inputs) => inputs.length);
    await panel.fill({ rows: '1', classes: '1.5' });
    await panel.press('Measure');
    expect(await invalid()).toBe(1);
    await panel.fill({ rows: '1', classes: '3' });
    await panel.press('Sweep over class counts');
    expect(await panel.complaint()).toBe('A sweep needs at least 16 logits; 3 are too few.');
    expect(await invalid()).toBe(0);
    // One class in one row is a case as any other.
    await panel.fill({ rows: '1', classes: '1' });
    await panel.press('Measure');
    const { rows, lines } = await panel.finished();
    expect(await panel.complaint()).toBe('');
    expectAgreement(rows, lines);
  });

  test('what is wrong is not timed', async () => {
    const panel = await open();
    await panel.fill({ rows: '4', classes: '10' });
    const worker = await workerOf(panel);
    // The oracle of the check is off, so that all is wrong that is right.
    await worker.evaluate(() => {
      const { exp } = Math;
      Math.exp = (x) => exp(x) * (1 + 1e-3 * Math.cos(x));
    });
    await panel.press('Measure');
    await until('the run is over', async () => !(await panel.isBusy()));
    const [gpu] = await panel.lines();
    expect(gpu?.on).toBe('WebGPU');
    expect(gpu?.cells).toHaveLength(1);
    expect(gpu?.cells[0]).toMatch(/^wrong, so not timed: output at output\[\d+\] is /);
    const row = (await panel.rows()).find(({ contender }) => contender === 'WebGPU');
    expect(row?.timing).toBeUndefined();
  });

  for (const [when, destroys] of [
    // What is submitted to a destroyed device is done at once, and the times of that are wrong.
    ['while it is timed', 'by the tenth submission'],
    ['in the last sample', 'by what is told at the end'],
  ] as const) {
    test(`a device that is lost ${when} is said, and its case is measured again on the next`, async () => {
      const panel = await open();
      await panel.fill({ rows: '16', classes: '64' });
      const worker = await workerOf(panel);
      await worker.evaluate((atEnd) => {
        const { submit } = GPUQueue.prototype;
        const { createCommandEncoder } = GPUDevice.prototype;
        const post = postMessage;
        const seen = { first: undefined as GPUDevice | undefined, isTiming: false, timed: 0, onOthers: 0 };
        Object.assign(self, {
          seen,
          postMessage(news: { readonly doing?: string }) {
            // The last thing that is told before it is timed.
            seen.isTiming ||= news.doing?.includes('checking copy by the CPU') === true;
            if (atEnd && news.doing?.endsWith(': done')) seen.first?.destroy();
            post(news);
          },
        });
        GPUDevice.prototype.createCommandEncoder = function (...given) {
          seen.first ??= this;
          return createCommandEncoder.apply(this, given);
        };
        GPUQueue.prototype.submit = function (...given) {
          submit.apply(this, given);
          if (this !== seen.first?.queue) seen.onOthers++;
          else if (seen.isTiming && ++seen.timed === 10 && !atEnd) seen.first.destroy();
        };
      }, destroys === 'by what is told at the end');
      await panel.press('Measure');
      await until('the loss is said', async () =>
        /^The GPU device was lost, and another context was opened\. WebGPU computes/.test(await panel.said()),
      );
      const { rows, lines } = await panel.finished();
      expect(rows.map(({ contender }) => contender)).toEqual(CONTENDERS);
      expect(rows.every(({ wrong, timing }) => wrong === undefined && timing !== undefined)).toBe(true);
      const { timed, onOthers } = await worker.evaluate(
        () => (self as unknown as { seen: { timed: number; onOthers: number } }).seen,
      );
      expect(timed).toBeGreaterThanOrEqual(10);
      // On the next device, the GPU and its copy are checked and timed once more: their samples, and what comes before.
      expect(onOthers).toBeGreaterThan(2 * (rows[0]?.timing?.rounds as number));
      expectAgreement(rows, lines);
    });
  }

  test('JSON goes to the clipboard', async () => {
    const panel = await open('?backend=cpu');
    await chromium.browser
      .defaultBrowserContext()
      .overridePermissions(new URL(demo.url).origin, ['clipboard-read', 'clipboard-sanitized-write']);
    await panel.fill({ rows: '4', classes: '10' });
    await panel.press('Measure');
    const { rows } = await panel.finished();
    await panel.page.bringToFront();
    await panel.press('Copy JSON');
    await until(
      'it is said',
      async () => (await panel.root.$eval('.controls + .status', (line) => line.textContent)) !== '',
    );
    const copied = await panel.page.evaluate(() => navigator.clipboard.readText());
    expect(parseRows(copied, 'the clipboard')).toEqual(rows);
  });

  test('JSON is selected where there is no clipboard, as on pages without https', async () => {
    const panel = await open('?backend=cpu', async (page) => {
      await page.evaluateOnNewDocument(() =>
        Object.defineProperty(navigator, 'clipboard', { value: undefined }),
      );
    });
    await panel.fill({ rows: '4', classes: '10' });
    await panel.press('Measure');
    const { rows } = await panel.finished();
    await panel.press('Copy JSON');
    // What Ctrl+C would copy.
    const selected = await panel.page.evaluate(() => {
      const text = document.activeElement as HTMLTextAreaElement;
      return text.value.slice(text.selectionStart, text.selectionEnd);
    });
    expect(parseRows(selected, 'the selection')).toEqual(rows);
  });

  for (const [where, computes] of [
    ['', /^WebGPU has only a software adapter here, .* so the CPU computes\.$/],
    ['without', /^This browser has no WebGPU here, so the CPU computes\.$/],
  ] as const) {
    test(`measures the CPU alone ${where === '' ? 'where only software has WebGPU' : 'without WebGPU'}`, async () => {
      const panel = await open(where === '' ? '' : demo.urlWithoutWebGpu);
      expect(await panel.said()).toMatch(computes);
      expect(await figuresOf(panel.root)).toMatchObject({ adapter: 'CPU (WebAssembly)', buffer: 'no limit' });
      await panel.fill({ rows: '8', classes: '20', dtype: 'f16' });
      await panel.press('Measure');
      const { rows, lines } = await panel.finished();
      expect(rows.map(({ contender }) => contender)).toEqual(CONTENDERS.slice(2));
      expectAgreement(rows, lines);
    });
  }
});
