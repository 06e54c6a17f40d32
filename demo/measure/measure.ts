// The panel Measure: the GPU against the CPU, on this machine.
import type { AdapterFacts, FloatDType } from 'webgpu-loss';
import type { Case, OpName } from '../../bench/measure/contender.js';
import type { Row } from '../../bench/report/row.js';
import type { Choice } from '../backend.js';
import { nameOfAdapter } from '../backend.js';
import { button, element, field, figureList, selectOf, statusLine } from '../dom.js';
import { bytes, digits } from '../format.js';
import { legend, plotArea } from '../plot.js';
import { CPU, GPU } from './contenders.js';
import type { News, Order } from './messages.js';
import { checkSize, DTYPES, MOST_ELEMENTS, OPS, readCount, sweepOf } from './request.js';
import { drawBandwidth, LEGEND, tableOf } from './results.js';

/** Mounts the panel below `root`. A worker of its own measures; it opens another context where its device is lost. */
export function mountMeasure(root: HTMLElement, choice: Choice): void {
  const op = selectOf(OPS);
  const dtype = selectOf(DTYPES);
  const rowCount = element('input', {
    type: 'number',
    min: 1,
    max: MOST_ELEMENTS,
    value: 256,
    inputmode: 'numeric',
  });
  const classCount = element('input', {
    type: 'number',
    min: 1,
    max: MOST_ELEMENTS,
    value: 4096,
    inputmode: 'numeric',
  });
  const status = statusLine();
  const complaint = element('p', { class: 'status', role: 'alert' });
  const progress = element('progress', { max: 1, value: 0, 'aria-label': 'How much is measured' });
  const doing = element('small', {});
  const facts = figureList({
    adapter: 'Adapter',
    buffer: 'Largest buffer',
    binding: 'Largest binding',
    threads: 'Threads in a workgroup',
    memory: 'Workgroup memory',
    subgroups: 'Subgroups',
    features: 'Features in use',
  });
  const plot = plotArea();
  const table = element('div', { class: 'table', role: 'region', 'aria-label': 'Results', tabindex: 0 });
  const json = element('textarea', { readonly: true, rows: 5, spellcheck: 'false' });
  const copied = statusLine();
  const results = element(
    'div',
    { hidden: true },
    plot.root,
    legend(LEGEND),
    table,
    field('Results as JSON, a line for each, as npm run bench writes them', json),
    element(
      'div',
      { class: 'controls' },
      button('Copy JSON', () => copy(json, copied.say)),
    ),
    copied.root,
  );

  const run = button(
    'Measure',
    () =>
      start((of, { limits }) => {
        checkSize(of, limits);
        return [of];
      }),
    { class: 'primary' },
  );
  const sweep = button('Sweep over class counts', () => start((of, { limits }) => sweepOf(of, limits)));
  const cancel = button('Cancel', () => stop('Cancelled; what was measured before stays.'), {
    disabled: true,
  });

  root.append(
    element(
      'p',
      {},
      'The GPU against the CPU backend on the same data, in turn, and each against a copy of as many bytes, which is as fast as its memory. ',
      'Results are checked against float64 before anything is timed; what is wrong is not timed.',
    ),
    status.root,
    facts.root,
    element(
      'div',
      { class: 'controls' },
      field('Operation', op),
      field('Rows', rowCount),
      field('Classes', classCount),
      field('Numbers', dtype),
    ),
    element('div', { class: 'controls' }, run, sweep, cancel),
    complaint,
    element('div', { class: 'progress' }, progress, doing),
    results,
  );

  let adapter: AdapterFacts | undefined;
  let measured: Row[] = [];
  let worker = open();

  /** A worker, which opens its context at once: its facts are to be seen, and its limits to be known. */
  function open(): Worker {
    const made = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    made.addEventListener('message', ({ data }: MessageEvent<News>) => hear(data));
    made.addEventListener('error', ({ message }) =>
      stop(`The worker failed: ${message || 'it could not be loaded'}.`),
    );
    order(made, { kind: 'open', choice });
    return made;
  }

  function hear(news: News): void {
    switch (news.kind) {
      case 'opened':
        adapter = news.facts;
        status.say(news.said);
        showFacts(news.facts);
        break;
      case 'progress':
        progress.value = news.done;
        doing.textContent = news.doing;
        break;
      case 'rows':
        measured = [...measured, ...news.rows];
        showResults();
        break;
      case 'finished':
        finish(summaryOf(measured));
        break;
      case 'failed':
        finish('');
        complaint.textContent = news.message;
        break;
    }
  }

  /** Reads the form and has its cases measured, or says what is wrong with it. */
  function start(casesFor: (of: Case, facts: AdapterFacts) => readonly Case[]): void {
    for (const input of [rowCount, classCount]) input.removeAttribute('aria-invalid');
    complaint.textContent = '';
    if (adapter === undefined) {
      complaint.textContent = 'The device is still being opened; try again in a moment.';
      return;
    }
    try {
      const of: Case = {
        op: op.value as OpName,
        rows: readInput('Rows', rowCount),
        classes: readInput('Classes', classCount),
        dtype: dtype.value as FloatDType,
      };
      const cases = casesFor(of, adapter);
      measured = [];
      copied.say('');
      busy(true);
      order(worker, { kind: 'run', cases });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      complaint.textContent = error.message;
    }
  }

  function stop(said: string): void {
    worker.terminate();
    adapter = undefined;
    worker = open();
    finish(said);
  }

  function finish(said: string): void {
    busy(false);
    doing.textContent = said;
  }

  function busy(is: boolean): void {
    run.disabled = is;
    sweep.disabled = is;
    cancel.disabled = !is;
    progress.value = 0;
    results.setAttribute('aria-busy', String(is));
  }

  function showFacts({ limits, ...info }: AdapterFacts): void {
    const size = (value: number): string => (value === Number.MAX_SAFE_INTEGER ? 'no limit' : bytes(value));
    const { subgroupMinSize, subgroupMaxSize } = info;
    const onGpu = info.backend === 'webgpu';
    facts.set({
      adapter: nameOfAdapter(info as AdapterFacts),
      buffer: size(limits.maxBufferSize),
      binding: size(limits.maxStorageBufferBindingSize),
      threads: onGpu ? String(limits.maxComputeInvocationsPerWorkgroup) : 'none',
      memory: onGpu ? bytes(limits.maxComputeWorkgroupStorageSize) : 'none',
      subgroups: subgroupMaxSize === 0 ? 'none' : `${subgroupMinSize} to ${subgroupMaxSize} threads`,
      features: info.features.join(', ') || 'none',
    });
  }

  function showResults(): void {
    results.hidden = false;
    table.replaceChildren(tableOf(measured));
    drawBandwidth(plot, measured);
    json.value = measured.map((row) => JSON.stringify(row)).join('\n');
  }
}

function order(worker: Worker, given: Order): void {
  worker.postMessage(given);
}

function readInput(what: string, input: HTMLInputElement): number {
  try {
    return readCount(what, input.value);
  } catch (error) {
    input.setAttribute('aria-invalid', 'true');
    input.focus();
    throw error;
  }
}

/** A sentence on a single case; on a sweep, that it is done. */
function summaryOf(rows: readonly Row[]): string {
  const [gpu, cpu] = [GPU, CPU].map((name) => rows.find(({ contender }) => contender === name)?.timing);
  const shapes = new Set(rows.map(({ classes }) => classes));
  if (shapes.size > 1) return `${shapes.size} class counts measured.`;
  if (cpu === undefined) return 'Measured.';
  const onCpu = `the CPU takes ${digits(cpu.ms.median)} ms`;
  if (gpu === undefined) return `Measured: ${onCpu}.`;
  return `Measured: the GPU takes ${digits(gpu.ms.median)} ms, ${onCpu}.`;
}

/** To the clipboard; where that is not allowed, the text is selected for the keyboard. */
async function copy(text: HTMLTextAreaElement, say: (said: string) => void): Promise<void> {
  try {
    await navigator.clipboard.writeText(text.value);
    say('The JSON is in the clipboard.');
  } catch {
    text.focus();
    text.select();
    say('The clipboard is not allowed here. The JSON is selected: copy it with Ctrl+C or ⌘C.');
  }
}
