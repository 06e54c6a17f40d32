// What the panel Train has done for it, without page and worker, on the CPU. Lost devices are in test/browser, where there are some.
import { describe, expect, it, vi } from 'vitest';
import { type Context, createContext } from 'webgpu-loss';
import type { LastingContext } from '../../demo/backend.js';
import { whyTooLarge } from '../../demo/train/bigrams.js';
import type { ModelKind, News, Reading } from '../../demo/train/messages.js';
import { bigramMilestones, headMilestones } from '../../demo/train/milestones.js';
import { STEPS_A_RUN, Training } from '../../demo/train/training.js';
import { buildCorpus } from '../../examples/bigram/corpus.js';
import { conditionalEntropy } from '../../examples/bigram/theory.js';
import { needTokenizer } from '../support/packages.js';

// What is mocked below has to be there by then, or the tokenizer itself is used. `needTokenizer` tells where it cannot be installed.
await vi.hoisted(async () => {
  const { installTokenizer } = await import('../../examples/language-model/install.js');
  try {
    installTokenizer();
  } catch {}
});

/** Letters in the place of the tokenizer's tokens; where it is `absent`, it cannot be loaded. */
const tokenizer = vi.hoisted(() => ({ absent: false }));
vi.mock(
  '../../examples/language-model/packages/node_modules/gpt-tokenizer/esm/encoding/o200k_base.js',
  () => ({
    get encode() {
      if (tokenizer.absent) throw new Error('there is none');
      return (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
    },
    decode: (ids: readonly number[]) => String.fromCharCode(...ids),
  }),
);

const BOOK = ['The whale saw Ahab. Ahab saw the whale, and the whale saw the boat.', 'The boat saw Ahab.'];
const { bigrams } = buildCorpus(BOOK, 4);
const FLOOR = conditionalEntropy(bigrams);

/** A training whose news are kept, of the 4 commonest tokens and one for the rest; `limits` in the place of the CPU's. */
function open(
  limits: Partial<Context['info']['limits']> = {},
  shortestStep = 0,
  model: ModelKind = 'bigrams',
) {
  const news: News[] = [];
  let heard = (): void => undefined;
  const opened = createContext({ backend: 'cpu' });
  const openContexts = (onOpen: (said: string, context: Context) => void): LastingContext => {
    const context = opened.then((cpu) => {
      onOpen('The CPU computes.', cpu);
      const info = { ...cpu.info, limits: { ...cpu.info.limits, ...limits } };
      return Object.defineProperty(cpu, 'info', { value: info });
    });
    return { current: () => context, use: async (work) => work(await context) };
  };
  const tell = (each: News): void => {
    news.push(each);
    heard();
  };
  const training = new Training(
    { readBook: async () => BOOK, openContexts, tell, shortestStep },
    { model, vocabulary: 4, rate: 0.1 },
  );
  return {
    training,
    news,
    /** The first news that are so, from `from` on. */
    hears: (isIt: (each: News) => boolean, from = 0) =>
      new Promise<News>((resolve, reject) => {
        heard = () => {
          const found = news.slice(from).find(isIt);
          if (found) resolve(found);
          const failed = news.find(({ kind }) => kind === 'failed');
          if (failed) reject(new Error(JSON.stringify(failed)));
        };
        heard();
      }),
  };
}

const isReading = (each: News): each is News & Reading => each.kind === 'reading';
const isAtRest = (each: News): boolean => each.kind === 'running' && !each.running;

describe('a training', () => {
  it('tells the model first, then each step once, and rests at the floor', async () => {
    const { training, news, hears } = open();
    training.obey({ kind: 'start' });
    await hears(isAtRest);
    expect(news.slice(0, 3)).toEqual([
      { kind: 'opened', said: 'The CPU computes.', isHardware: false },
      { kind: 'untrained', model: 'bigrams', vocabulary: 4, size: 5, restShare: 7 / 22, floor: FLOOR },
      { kind: 'running', running: true },
    ]);
    const readings = news.filter(isReading);
    expect(readings.map(({ step }) => step)).toEqual(
      Array.from({ length: STEPS_A_RUN + 1 }, (_, step) => step),
    );
    expect(readings[0]?.crossEntropy).toBeCloseTo(Math.log(5), 6);
    for (const { crossEntropy, divergence = Number.NaN } of readings)
      expect(crossEntropy - divergence).toBeCloseTo(FLOOR, 9);
    expect(readings.at(-1)?.divergence).toBeLessThan(1e-3);
    expect(readings.at(-1)?.divergence).toBeGreaterThan(0);
  });

  it('takes its time for a step, however often it is started', async () => {
    const { training, hears } = open({}, 20);
    await hears(({ kind }) => kind === 'untrained');
    const start = performance.now();
    for (let k = 0; k < 10; k++) training.obey({ kind: 'start' });
    await hears((each) => isReading(each) && each.step === 10);
    // Timers may be early by less than a millisecond each.
    expect(performance.now() - start).toBeGreaterThan(10 * 19);
    training.obey({ kind: 'reset' });
  });

  it('takes no step twice when it is paused and started at once, and none when it is paused', async () => {
    const { training, news, hears } = open();
    for (const kind of ['start', 'pause', 'start', 'start', 'pause', 'start'] as const)
      training.obey({ kind });
    await hears((each) => isReading(each) && each.step === 20);
    training.obey({ kind: 'pause' });
    const from = news.length;
    await hears(isAtRest, from);
    const paused = news.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(news).toHaveLength(paused);
    const steps = news.filter(isReading).map(({ step }) => step);
    expect(steps).toEqual(steps.map((_, step) => step));
  });

  it('begins again after a reset, with the same results', async () => {
    const { training, news, hears } = open();
    training.obey({ kind: 'start' });
    await hears((each) => isReading(each) && each.step === 15);
    training.obey({ kind: 'reset' });
    await hears(({ kind }) => kind === 'untrained', news.length);
    const begun = news.length;
    training.obey({ kind: 'start' });
    await hears((each) => isReading(each) && each.step === 15, begun);
    training.obey({ kind: 'pause' });
    const results = (of: readonly News[]) =>
      of.filter((each) => (isReading(each) || each.kind === 'look') && each.step <= 15);
    const first = results(news.slice(0, begun));
    // Steps 0 to 15, and texts of steps 0 and 10.
    expect(first).toHaveLength(18);
    expect(results(news.slice(begun))).toEqual(first);
  });

  it('moves the faster the higher the rate', async () => {
    const { training, news, hears } = open();
    training.obey({ kind: 'rate', rate: 0.001 });
    training.obey({ kind: 'start' });
    await hears((each) => isReading(each) && each.step === 10);
    training.obey({ kind: 'rate', rate: 0.2 });
    await hears((each) => isReading(each) && each.step === 25);
    training.obey({ kind: 'pause' });
    const readings = news.filter(isReading).map(({ divergence }) => divergence) as [number];
    const at = (step: number) => readings[step] as number;
    expect(at(0) - at(9)).toBeLessThan(0.02);
    expect(at(10) - at(25)).toBeGreaterThan(0.5);
  });

  it('refuses what the limits of the device do not allow, and keeps the model', async () => {
    const { training, news, hears } = open({ maxBufferSize: 4 * 6 * 6 });
    training.obey({ kind: 'model', model: 'bigrams', vocabulary: 6 });
    expect(await hears(({ kind }) => kind === 'refused')).toEqual({
      kind: 'refused',
      kept: { model: 'bigrams', vocabulary: 4 },
      why: '6 tokens need matrices of 196 bytes, and a buffer of this device holds 144 bytes at most; choose fewer tokens.',
    });
    training.obey({ kind: 'model', model: 'bigrams', vocabulary: 5 });
    await hears((each) => each.kind === 'untrained' && each.vocabulary === 5);
    expect(news.filter(({ kind }) => kind === 'refused')).toHaveLength(1);
  });

  it('trains no model where there is none', async () => {
    const { training, news, hears } = open({ maxBufferSize: 4 });
    training.obey({ kind: 'start' });
    expect(await hears(({ kind }) => kind === 'refused')).toMatchObject({ kept: undefined });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(news.map(({ kind }) => kind)).toEqual(['opened', 'refused']);
  });
});

describe('a training of the language model', () => {
  // Its place is taken, but there has to be something at that place.
  needTokenizer();

  it('tells the model and its memory, learns step by step, and looks at it every 20', async () => {
    const { training, news, hears } = open({}, 0, 'head');
    training.obey({ kind: 'start' });
    await hears(isAtRest);
    const untrained = news.find(({ kind }) => kind === 'untrained');
    expect(untrained).toMatchObject({
      model: 'head',
      vocabulary: 4,
      sizes: { classes: 5, features: 32, rows: 64 },
      baselines: { uniform: Math.log(5) },
    });
    expect(news.filter(({ kind }) => kind === 'memory')).toEqual([
      { kind: 'memory', memory: expect.objectContaining({ logits: 2 * 4 * 64 * 5, scratch: 0 }) },
    ]);
    const readings = news.filter(isReading);
    expect(readings.map(({ step }) => step)).toEqual(
      Array.from({ length: STEPS_A_RUN + 1 }, (_, step) => step),
    );
    expect(readings[0]?.crossEntropy).toBeCloseTo(Math.log(5), 6);
    expect(readings.at(-1)?.crossEntropy).toBeLessThan((readings[0]?.crossEntropy ?? 0) - 0.5);
    const looks = news.filter((each) => each.kind === 'look');
    expect(looks.map(({ step }) => step)).toEqual(Array.from({ length: 11 }, (_, i) => 20 * i));
    expect(looks[0]?.heldOut).toBeCloseTo(Math.log(5), 6);
    for (const { text } of looks) expect(text.length).toBeGreaterThan(20);
  });

  it('is refused where a matrix is larger than a binding, and the bigrams stay', async () => {
    const { training, hears } = open({ maxStorageBufferBindingSize: 600 });
    training.obey({ kind: 'model', model: 'head', vocabulary: 4 });
    expect(await hears(({ kind }) => kind === 'refused')).toEqual({
      kind: 'refused',
      kept: { model: 'bigrams', vocabulary: 4 },
      why: '5 tokens need matrices of 640 bytes, and a binding of this device holds 600 bytes at most; choose fewer tokens.',
    });
  });

  it('is refused where there is no tokenizer', async () => {
    tokenizer.absent = true;
    const { training, hears } = open();
    training.obey({ kind: 'model', model: 'head', vocabulary: 4 });
    expect(await hears(({ kind }) => kind === 'refused')).toMatchObject({
      kept: { model: 'bigrams' },
      why: 'The tokenizer could not be loaded: there is none.',
    });
    tokenizer.absent = false;
  });
});

it('says how large a matrix may be', () => {
  const limits = { maxBufferSize: 64 * 2 ** 20 } as Context['info']['limits'];
  expect(whyTooLarge(4095, { limits })).toBeUndefined();
  expect(whyTooLarge(4096, { limits })).toMatch(/^4,096 tokens need matrices of 64\.03 MiB, .* holds 64 MiB/);
});

describe('milestones', () => {
  const told = (initial: number, divergences: readonly number[]) => {
    const follow = bigramMilestones(initial);
    return divergences.map((divergence, step) => follow({ step, crossEntropy: divergence + 1, divergence }));
  };

  it('are told once each, however the divergence moves', () => {
    const said = told(4, [4, 2.1, 2, 1.9, 3, 0.39, 0.4, 0.011, 0.009, 0.02, 0.001]);
    expect(said.map((each) => each !== undefined)).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
      false,
      false,
      true,
      false,
      false,
    ]);
    expect(said[2]).toBe('Step 2: half of what there is to learn is learned. The divergence is 2 nats.');
    expect(said[8]).toContain('within 0.01 nats of the best there is');
  });

  it('that are passed together are told by the farthest', () => {
    const said = told(4, [4, 0.005]);
    expect(said).toEqual([undefined, expect.stringContaining('within 0.01 nats')]);
  });

  it('of the language model are those of the mean of the latest batches', () => {
    const follow = headMilestones({ uniform: 10, unigram: 6, unigramHeldOut: 6.1 });
    const said = [10, 8.1, 7, 4, 4, 4, 4, 4].map((crossEntropy, step) => follow({ step, crossEntropy }));
    expect(said.map((each) => each?.replace(/\. .*/, ''))).toEqual([
      ...[undefined, undefined, undefined],
      'Step 3: half of what the frequencies tell is learned',
      'Step 4: the model is better than the frequencies alone: it uses the context',
      ...[undefined, undefined, undefined],
    ]);
  });

  it('are not reached by what is no number', () => {
    expect(told(4, [Number.NaN])).toEqual([undefined]);
  });
});
