// The panel Train: a language model of a book, trained before your eyes.
import './train.css';
import { GOAL } from '../../examples/bigram/report.js';
import type { Choice } from '../backend.js';
import { button, element, field, figureList, selectOf, statusLine } from '../dom.js';
import { count, digits, fixed, nats } from '../format.js';
import { curves } from './curves.js';
import type { News, Order, Reading, Untrained } from './messages.js';
import { milestones } from './milestones.js';
import { textList } from './texts.js';
import { STEPS_A_RUN } from './training.js';

/** One less than a power of two: with the token for the rest, rows of full vectors. */
const VOCABULARIES = [127, 255, 511, 1023, 2047, 4095];
const FIRST_VOCABULARY = 1023;

/** With the first one the divergence is below the goal after some 50 steps and comes to rest near 5e-5. */
const FIRST_RATE = 0.1;
const RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];

/** Milliseconds from one drawing to the next. */
const DRAWING = { usual: 100, reducedMotion: 1000 };

/** Mounts the panel below `root`. A worker trains, and survives the loss of its device. */
export function mountTrain(root: HTMLElement, choice: Choice): void {
  const vocabularies = selectOf(labelled(VOCABULARIES, (size) => `${count(size)} tokens`));
  vocabularies.value = String(FIRST_VOCABULARY);
  const rates = selectOf(labelled(RATES, String));
  rates.value = String(FIRST_RATE);
  const toggle = button('Start', () => order({ kind: running ? 'pause' : 'start' }), {
    class: 'primary',
    disabled: true,
  });
  const reset = button('Reset', () => order({ kind: 'reset' }), { disabled: true });
  const computing = element('p', { class: 'computing' }, 'Looking for what can compute.');
  const status = statusLine();
  const about = element('p');
  const figures = figureList({
    step: 'step',
    crossEntropy: 'cross-entropy H(q, p)',
    floor: 'floor H(q), the text’s own',
    divergence: 'divergence D(q‖p)',
    perplexity: 'perplexity (at the floor)',
  });
  const plots = curves();
  const texts = textList();
  root.append(
    element(
      'p',
      {},
      'A bigram model of ',
      element('cite', {}, 'Moby Dick'),
      ' says how likely each token follows each other one: a matrix of logits, fitted by maximum likelihood, that is, to the least ' +
        'cross-entropy. What it comes to is known. The cross-entropy H(q, p) is the entropy H(q) of the text itself, which no model ' +
        'gets below, and the divergence D(q‖p), which training takes to 0.',
    ),
    element(
      'div',
      { class: 'controls' },
      toggle,
      reset,
      field('Learning rate', rates),
      field('Vocabulary', vocabularies),
    ),
    computing,
    status.root,
    figures.root,
    plots.root,
    element('h3', {}, 'What the model writes'),
    element('p', {}, 'Two sentences every few steps, drawn with the same random numbers each time.'),
    texts.root,
    about,
    element(
      'p',
      {},
      `Each step computes loss and gradient of all rows and one update by Adam, whose rate is constant: a larger one learns faster, and then ` +
        `strays farther around the best model. Lower it, and the divergence falls further. The training rests every ${STEPS_A_RUN} steps; Start goes on.`,
    ),
  );

  let running = false;
  let model: Untrained | undefined;
  let readings: Reading[] = [];
  let milestone: ReturnType<typeof milestones> = () => undefined;

  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'train' });
  const order = (given: Order): void => worker.postMessage(given);
  worker.addEventListener('message', ({ data }: MessageEvent<News>) => hear(data));
  worker.addEventListener('error', (event) => {
    status.say(
      `The training has ended: ${event.message || 'its worker could not be loaded'}. Load the page again.`,
    );
    for (const control of [toggle, reset, rates, vocabularies]) control.disabled = true;
  });
  rates.addEventListener('change', () => order({ kind: 'rate', rate: Number(rates.value) }));
  vocabularies.addEventListener('change', () =>
    order({ kind: 'vocabulary', vocabulary: Number(vocabularies.value) }),
  );
  status.say('Reading the book.');
  order({
    kind: 'open',
    choice,
    vocabulary: Number(vocabularies.value),
    rate: Number(rates.value),
  });

  function hear(news: News): void {
    switch (news.kind) {
      case 'opened':
        computing.textContent = news.said;
        break;
      case 'untrained':
        begin(news);
        break;
      case 'running':
        running = news.running;
        toggle.textContent = running ? 'Pause' : 'Start';
        status.say(running ? 'Training.' : summary());
        draw();
        break;
      case 'reading': {
        // After a rest, or the loss of a device, a step is read again.
        if (readings.at(-1)?.step === news.step) readings.pop();
        readings.push(news);
        const passed = milestone(news);
        if (passed !== undefined) status.say(passed);
        drawSoon();
        break;
      }
      case 'text':
        texts.add(news.step, news.text);
        break;
      case 'rewound':
        readings = readings.filter(({ step }) => step <= news.step);
        texts.rewind(news.step);
        status.say(
          `The GPU device was lost, and the training with it. It goes on from ${
            news.step === 0 ? 'the start' : `step ${count(news.step)}, where the model was last read`
          }.`,
        );
        draw();
        break;
      case 'refused':
        if (news.kept !== undefined) vocabularies.value = String(news.kept);
        status.say(
          `${news.why}${news.kept === undefined ? '' : ` The model still has ${count(news.kept)}.`}`,
        );
        break;
      case 'failed':
        status.say(`The training failed and is back at its start: ${news.message}`);
    }
  }

  function begin(untrained: Untrained): void {
    model = untrained;
    readings = [];
    milestone = milestones(Math.log(untrained.size) - untrained.floor);
    texts.clear();
    const { size, vocabulary, restShare } = untrained;
    about.textContent =
      `The model knows the ${count(vocabulary)} commonest tokens, and one more for all others, ${(100 * restShare).toFixed(1)}\u00a0% of the text: ` +
      `${count(size)} × ${count(size)} logits. Untrained, it holds every token for equally likely: ln ${count(size)} = ${fixed(Math.log(size))} nats.`;
    for (const control of [toggle, reset]) control.disabled = false;
    status.say(`Ready: a model of ${count(size)} tokens, untrained.`);
    draw();
  }

  /** Of the model as it is. */
  function summary(): string {
    const last = readings.at(-1);
    if (last === undefined) return 'Paused.';
    const { step, divergence } = last;
    return `Paused at step ${count(step)}: the divergence is ${digits(divergence)} nats, ${divergence <= GOAL ? 'within' : 'above'} the ${GOAL} that count as learned.`;
  }

  let drawing: ReturnType<typeof setTimeout> | undefined;
  function drawSoon(): void {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    drawing ??= setTimeout(draw, calm ? DRAWING.reducedMotion : DRAWING.usual);
  }

  function draw(): void {
    clearTimeout(drawing);
    drawing = undefined;
    if (model === undefined) return;
    const { floor, size } = model;
    const untrained = Math.log(size);
    const { step, crossEntropy, divergence } = readings.at(-1) ?? {
      step: 0,
      crossEntropy: untrained,
      divergence: untrained - floor,
    };
    figures.set({
      step: count(step),
      crossEntropy: nats(crossEntropy),
      floor: nats(floor),
      divergence: `${digits(divergence)} nats`,
      perplexity: `${Math.exp(crossEntropy).toFixed(2)} (${Math.exp(floor).toFixed(2)})`,
    });
    plots.draw(readings, { floor, untrained });
  }
}

function labelled(values: readonly number[], label: (value: number) => string): Record<string, string> {
  return Object.fromEntries(values.map((value) => [String(value), label(value)]));
}
