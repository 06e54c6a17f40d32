// The panel Measure: WebGPU against the CPU, on this machine.
import type { AdapterLimits } from 'webgpu-loss';
import type { Case } from '../../bench/measure/contender.js';
import type { Row } from '../../bench/report/row.js';
import type { Choice } from '../backend.js';
import { element, statusLine } from '../dom.js';
import { digits } from '../format.js';
import { adapterFigures } from './adapterFigures.js';
import { CPU, GPU } from './contenders.js';
import { measureForm } from './form.js';
import type { News, Order } from './messages.js';
import { checkSize, sweepOf } from './request.js';
import { resultsView } from './results.js';

/** Mounts the panel below `root`. A worker of its own measures; it opens another context where its device is lost. */
export function mountMeasure(root: HTMLElement, choice: Choice): void {
  const status = statusLine();
  const complaint = element('p', { class: 'status', role: 'alert' });
  const bar = element('progress', { max: 1, value: 0, 'aria-label': 'How much is measured' });
  const doing = element('small', {});
  const outcome = statusLine();
  const adapter = adapterFigures();
  const results = resultsView();
  const form = measureForm({
    measure: () =>
      start((of, limits) => {
        checkSize(of, limits);
        return [of];
      }),
    sweep: () => start(sweepOf),
    cancel() {
      worker.terminate();
      worker = open();
      finish(0, 'Cancelled. What was measured before stays.');
    },
  });
  root.append(
    element(
      'p',
      {},
      'WebGPU against the CPU backend on the same data, in turn, and each against a copy of as many bytes, which is as fast as its ',
      'memory. Results are checked against float64 before anything is timed; what is wrong is not timed.',
    ),
    status.root,
    adapter.root,
    form.root,
    complaint,
    element('div', { class: 'progress' }, bar, doing),
    outcome.root,
    results.root,
  );

  let limits: AdapterLimits | undefined;
  let rows: readonly Row[] = [];
  let worker = open();

  /** A worker, which opens its context at once: what it can do is to be seen. */
  function open(): Worker {
    limits = undefined;
    const made = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'measure' });
    made.addEventListener('message', ({ data }: MessageEvent<News>) => hear(data));
    made.addEventListener('error', ({ message }) =>
      fail(`What measures has failed: ${message || 'it could not be loaded'}. Reload the page.`),
    );
    made.postMessage({ kind: 'open', choice } satisfies Order);
    return made;
  }

  /** Has cases measured, or says what is wrong with what the form says. */
  function start(casesOf: (of: Case, limits: AdapterLimits) => readonly Case[]): void {
    complaint.textContent = '';
    outcome.say('');
    try {
      const of = form.read();
      if (limits === undefined)
        throw new RangeError('The device is still being opened: try again in a moment.');
      const cases = casesOf(of, limits);
      rows = [];
      bar.value = 0;
      form.setBusy(true);
      worker.postMessage({ kind: 'run', cases } satisfies Order);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      complaint.textContent = error.message;
    }
  }

  function hear(news: News): void {
    switch (news.kind) {
      case 'opened':
        limits = news.facts.limits;
        status.say(news.said);
        adapter.show(news.facts);
        break;
      case 'progress':
        bar.value = news.done;
        doing.textContent = news.doing;
        break;
      case 'rows':
        rows = [...rows, ...news.rows];
        results.show(rows);
        break;
      case 'finished':
        finish(1, summaryOf(rows));
        break;
      case 'failed':
        fail(news.message);
        break;
    }
  }

  function fail(message: string): void {
    finish(0, '');
    complaint.textContent = message;
  }

  function finish(done: number, said: string): void {
    form.setBusy(false);
    bar.value = done;
    doing.textContent = '';
    outcome.say(said);
  }
}

/** A sentence on a single case; of a sweep, that it is done. */
function summaryOf(rows: readonly Row[]): string {
  const shapes = new Set(rows.map(({ classes }) => classes));
  if (shapes.size > 1) return `Measured: ${shapes.size} class counts.`;
  const times = [
    [GPU, GPU],
    [CPU, 'the CPU'],
  ].flatMap(([name, inWords]) => {
    const timing = rows.find(({ contender }) => contender === name)?.timing;
    return timing === undefined ? [] : [`${inWords} takes ${digits(timing.ms.median)} ms`];
  });
  return times.length === 0 ? 'Nothing could be timed.' : `Measured: ${times.join(', ')}.`;
}
