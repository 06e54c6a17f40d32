// The panel Train: a language model of a book, trained before your eyes.
import './train.css';
import { ALL_TOKENS } from '../../examples/language-model/text.js';
import type { Choice } from '../backend.js';
import { button, element, field, selectOf, statusLine } from '../dom.js';
import { count } from '../format.js';
import { bigramView } from './bigramView.js';
import { headView } from './headView.js';
import type { Look, ModelKind, News, Order, Reading } from './messages.js';
import { textList } from './texts.js';
import type { View } from './view.js';

interface Kind {
  readonly label: string;
  readonly view: () => View;
  readonly vocabularies: readonly number[];
  /** The first choice, on hardware WebGPU and elsewhere. */
  readonly vocabulary: { readonly onHardware: number; readonly elsewhere: number };
  readonly rates: readonly number[];
  readonly rate: number;
}

const KINDS: Readonly<Record<ModelKind, Kind>> = {
  bigrams: {
    label: 'bigrams',
    view: bigramView,
    // One less than a power of two: with the token for the rest, rows of full vectors.
    vocabularies: [127, 255, 511, 1023, 2047, 4095],
    vocabulary: { onHardware: 1023, elsewhere: 1023 },
    rates: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    // With it the divergence is below the goal after some 50 steps and comes to rest near 5e-5.
    rate: 0.1,
  },
  head: {
    label: 'language model head',
    view: headView,
    vocabularies: [511, 1023, 2047, 4095, 16_383, ALL_TOKENS],
    vocabulary: { onHardware: ALL_TOKENS, elsewhere: 1023 },
    rates: [0.002, 0.005, 0.01, 0.02, 0.05],
    rate: 0.02,
  },
};

/** Milliseconds from one drawing to the next. */
const DRAWING = { usual: 100, reducedMotion: 1000 };

/** Mounts the panel below `root`. A worker trains, and survives the loss of its device. */
export function mountTrain(root: HTMLElement, choice: Choice): void {
  const views: Readonly<Record<ModelKind, View>> = {
    bigrams: KINDS.bigrams.view(),
    head: KINDS.head.view(),
  };
  const models = selectOf(
    Object.fromEntries(Object.entries(KINDS).map(([kind, { label }]) => [kind, label])),
  );
  const vocabularies = selectOf({});
  const rates = selectOf({});
  const toggle = button('Start', () => order({ kind: running ? 'pause' : 'start' }), {
    class: 'primary',
    disabled: true,
  });
  const reset = button('Reset', () => order({ kind: 'reset' }), { disabled: true });
  const computing = element('p', { class: 'computing' }, 'Looking for what can compute.');
  const status = statusLine();
  const texts = textList();
  const modelField = field('Model', models);
  modelField.classList.add('model');
  const introduction = element('div');
  const shown = element('div');
  const about = element('div');
  root.append(
    introduction,
    element(
      'div',
      { class: 'controls' },
      toggle,
      reset,
      modelField,
      field('Learning rate', rates),
      field('Vocabulary', vocabularies),
    ),
    computing,
    status.root,
    shown,
    element('h3', {}, 'What the model writes'),
    element('p', {}, 'Some text every few steps, drawn with the same random numbers each time.'),
    texts.root,
    about,
  );

  let running = false;
  let isHardware = false;
  let view = views.bigrams;
  let readings: Reading[] = [];
  let looks: Look[] = [];

  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'train' });
  const order = (given: Order): void => worker.postMessage(given);
  worker.addEventListener('message', ({ data }: MessageEvent<News>) => hear(data));
  worker.addEventListener('error', (event) => {
    status.say(
      `The training has ended: ${event.message || 'its worker could not be loaded'}. Load the page again.`,
    );
    for (const control of [toggle, reset, models, rates, vocabularies]) control.disabled = true;
  });
  const wish = () => ({ model: models.value as ModelKind, vocabulary: Number(vocabularies.value) });
  models.addEventListener('change', () => {
    offer(models.value as ModelKind);
    order({ kind: 'rate', rate: Number(rates.value) });
    order({ kind: 'model', ...wish() });
    status.say('Reading the book.');
  });
  rates.addEventListener('change', () => order({ kind: 'rate', rate: Number(rates.value) }));
  vocabularies.addEventListener('change', () => order({ kind: 'model', ...wish() }));
  offer('bigrams');
  show('bigrams');
  status.say('Reading the book.');
  order({ kind: 'open', choice, ...wish(), rate: Number(rates.value) });

  /** The choices that there are for a kind of model. */
  function offer(kind: ModelKind): void {
    const { vocabularies: sizes, vocabulary, rates: numbers, rate } = KINDS[kind];
    models.value = kind;
    choices(vocabularies, sizes, (size) =>
      size === ALL_TOKENS ? `all ${count(size)} tokens` : `${count(size)} tokens`,
    );
    vocabularies.value = String(isHardware ? vocabulary.onHardware : vocabulary.elsewhere);
    choices(rates, numbers, String);
    rates.value = String(rate);
  }

  function show(kind: ModelKind): void {
    view = views[kind];
    introduction.replaceChildren(view.introduction);
    shown.replaceChildren(view.root);
    about.replaceChildren(view.about);
  }

  function hear(news: News): void {
    switch (news.kind) {
      case 'opened':
        computing.textContent = news.said;
        isHardware = news.isHardware;
        break;
      case 'untrained':
        readings = [];
        looks = [];
        texts.clear();
        show(news.model);
        for (const control of [toggle, reset]) control.disabled = false;
        status.say(`Ready: ${view.begin(news)}, untrained.`);
        draw();
        break;
      case 'memory':
        view.hold(news.memory);
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
        const passed = view.milestone(news);
        if (passed !== undefined) status.say(passed);
        drawSoon();
        break;
      }
      case 'look':
        // After the loss of a device, the beginning is looked at again.
        looks = [...looks.filter(({ step }) => step < news.step), news];
        texts.rewind(news.step - 1);
        texts.add(news.step, news.text);
        drawSoon();
        break;
      case 'rewound':
        readings = readings.filter(({ step }) => step <= news.step);
        looks = looks.filter(({ step }) => step <= news.step);
        texts.rewind(news.step);
        status.say(
          `The GPU device was lost, and the training with it. It goes on from ${
            news.step === 0 ? 'the start' : `step ${count(news.step)}, where the model was last read`
          }.`,
        );
        draw();
        break;
      case 'refused': {
        const { kept, why } = news;
        if (kept !== undefined) {
          if (kept.model !== models.value) {
            offer(kept.model);
            order({ kind: 'rate', rate: Number(rates.value) });
          }
          vocabularies.value = String(kept.vocabulary);
        }
        status.say(`${why}${kept === undefined ? '' : ` The model still has ${count(kept.vocabulary)}.`}`);
        break;
      }
      case 'failed':
        status.say(`The training failed and is back at its start: ${news.message}`);
    }
  }

  /** Of the model as it is. */
  function summary(): string {
    const last = readings.at(-1);
    return last === undefined ? 'Paused.' : `Paused at step ${count(last.step)}: ${view.summary(readings)}.`;
  }

  let drawing: ReturnType<typeof setTimeout> | undefined;
  function drawSoon(): void {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    drawing ??= setTimeout(draw, calm ? DRAWING.reducedMotion : DRAWING.usual);
  }

  function draw(): void {
    clearTimeout(drawing);
    drawing = undefined;
    view.draw(readings, looks);
  }
}

/** Offers other values than before. */
function choices(list: HTMLSelectElement, values: readonly number[], label: (value: number) => string): void {
  list.replaceChildren(...values.map((value) => element('option', { value }, label(value))));
}
