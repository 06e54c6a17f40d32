// The training behind the panel, one step after the other. Knows neither page nor worker.
import { type AdapterFacts, type Context, DeviceLostError } from 'webgpu-loss';
import { buildCorpus, type Corpus } from '../../examples/bigram/corpus.js';
import { sampleSentence } from '../../examples/bigram/sample.js';
import { conditionalEntropy, measure, weighByFrequency } from '../../examples/bigram/theory.js';
import { openTrainer, type Trainer } from '../../examples/bigram/trainer.js';
import { seededRandom } from '../../examples/common/random.js';
import type { LastingContext } from '../backend.js';
import { bytes, count } from '../format.js';
import type { News, Order } from './messages.js';

/** The training rests by itself after so many steps, and again after as many more. */
export const STEPS_A_RUN = 200;

/** Text is drawn each time so many steps were done; the logits are read for it, and kept: from there a lost device is made up for. */
const STEPS_A_TEXT = 10;

/** The same for each text, so that the model alone makes the difference. The year of the author’s birth. */
const SEED = 1819;

const SENTENCES = 2;

/** A step takes no less, in milliseconds: people are to see what happens. */
const SHORTEST_STEP = 50;

export interface TrainingParts {
  readonly readBook: () => Promise<readonly string[]>;
  /** `lastingContext` for the choice that was made. */
  readonly openContexts: (onOpen: (said: string) => void) => LastingContext;
  readonly tell: (news: News) => void;
  /** Milliseconds; by default what people can follow. */
  readonly shortestStep?: number;
}

export type TrainingOrder = Exclude<Order, { kind: 'open' }>;

/** What the trained model was when it was last read. */
interface Known {
  readonly step: number;
  readonly logits: Float32Array<ArrayBuffer>;
}

/**
 * Trains when it is told to, and tells how it goes. Orders are obeyed between two steps, in their order.
 *
 * The learning rate is constant until another is ordered: the divergence falls until it is of the order of the rate's square, and stays there.
 */
export class Training {
  readonly #parts: TrainingParts;
  readonly #contexts: LastingContext;
  readonly #book: Promise<readonly string[]>;
  #queue: Promise<void> = Promise.resolve();
  #corpus: Corpus | undefined;
  #floor = 0;
  #rate: number;
  #running = false;
  /** Updates so far, and at how many of them it rests. */
  #step = 0;
  #rest = STEPS_A_RUN;
  #trainer: (Trainer & { readonly context: Context }) | undefined;
  #known: Known | undefined;
  #stepIsComing = false;

  constructor(parts: TrainingParts, { vocabulary, rate }: { vocabulary: number; rate: number }) {
    this.#parts = parts;
    this.#rate = rate;
    this.#book = parts.readBook();
    this.#contexts = parts.openContexts((said) => {
      parts.tell({ kind: 'opened', said });
      this.#enqueue(() => this.#leaveLostDevice());
    });
    this.obey({ kind: 'vocabulary', vocabulary });
  }

  obey(order: TrainingOrder): void {
    this.#enqueue(async () => {
      switch (order.kind) {
        case 'vocabulary':
          await this.#choose(order.vocabulary);
          break;
        case 'rate':
          this.#rate = order.rate;
          break;
        case 'start':
          if (this.#corpus === undefined) break;
          this.#setRunning(true);
          this.#stepLater(0);
          break;
        case 'pause':
          this.#setRunning(false);
          break;
        case 'reset':
          this.#reset();
      }
    });
  }

  /** One thing after the other: nothing starts while something else awaits the device. */
  #enqueue(job: () => Promise<void> | void): void {
    this.#queue = this.#queue.then(job).catch((error) => this.#fail(error));
  }

  #setRunning(running: boolean): void {
    this.#running = running;
    this.#parts.tell({ kind: 'running', running });
  }

  /** A new model, if this machine can hold it. */
  async #choose(vocabulary: number): Promise<void> {
    const { info } = await this.#contexts.current();
    const book = await this.#book;
    const refuse = (why: string) => {
      const kept = this.#corpus && this.#corpus.vocabulary.length - 1;
      this.#parts.tell({ kind: 'refused', vocabulary, kept, why });
    };
    const tooLarge = whyTooLarge(vocabulary, info);
    if (tooLarge !== undefined) {
      refuse(tooLarge);
      return;
    }
    let corpus: Corpus;
    try {
      corpus = buildCorpus(book, vocabulary);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      refuse(`There is no memory for ${count(vocabulary)} tokens (${error.message}); choose fewer.`);
      return;
    }
    this.#corpus = corpus;
    this.#floor = conditionalEntropy(corpus.bigrams);
    this.#reset();
  }

  #reset(): void {
    if (this.#running) this.#setRunning(false);
    this.#trainer?.destroy();
    this.#trainer = undefined;
    this.#known = undefined;
    this.#step = 0;
    this.#rest = STEPS_A_RUN;
    if (this.#corpus === undefined) return;
    const { vocabulary, restShare } = this.#corpus;
    this.#parts.tell({
      kind: 'untrained',
      vocabulary: vocabulary.length - 1,
      size: vocabulary.length,
      restShare,
      floor: this.#floor,
    });
  }

  #fail(error: unknown): void {
    this.#reset();
    this.#parts.tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }

  #stepLater(milliseconds: number): void {
    if (this.#stepIsComing) return;
    this.#stepIsComing = true;
    // Not at once: orders wait to be heard.
    setTimeout(() => {
      this.#stepIsComing = false;
      this.#enqueue(() => this.#takeStep());
    }, milliseconds);
  }

  async #takeStep(): Promise<void> {
    const corpus = this.#corpus;
    if (!this.#running || corpus === undefined) return;
    const start = performance.now();
    const context = await this.#contexts.current();
    try {
      const trainer = await this.#openTrainer(context, corpus);
      if (this.#step % STEPS_A_TEXT === 0) await this.#readModel(trainer, corpus);
      await trainer.step(this.#rate);
      // The losses that the gradient came from: of the model before this update.
      const crossEntropy = weighByFrequency(corpus.bigrams, await trainer.readLosses());
      this.#read(crossEntropy, crossEntropy - this.#floor);
      this.#step++;
      if (this.#step === this.#rest) {
        const { crossEntropy, divergence } = measure(corpus.bigrams, await this.#readModel(trainer, corpus));
        this.#read(crossEntropy, divergence);
        this.#rest += STEPS_A_RUN;
        this.#setRunning(false);
        return;
      }
    } catch (error) {
      if (!(await wasLost(context, error))) throw error;
      // Until there is another one; or the reason why there is none ends the training.
      await this.#contexts.current();
    }
    const { shortestStep = SHORTEST_STEP } = this.#parts;
    this.#stepLater(Math.max(0, shortestStep - (performance.now() - start)));
  }

  #read(crossEntropy: number, divergence: number): void {
    this.#parts.tell({ kind: 'reading', step: this.#step, crossEntropy, divergence });
  }

  async #openTrainer(context: Context, corpus: Corpus): Promise<Trainer> {
    await this.#leaveLostDevice();
    if (this.#trainer === undefined) {
      const trainer = await openTrainer(context, corpus.bigrams, this.#known?.logits).catch((cause) => {
        const size = count(corpus.vocabulary.length);
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`There is no room for five matrices of ${size} × ${size}: ${reason}`, { cause });
      });
      this.#trainer = { ...trainer, context };
    }
    return this.#trainer;
  }

  /** The present logits, and text drawn from them; of those that are known already there is some. */
  async #readModel(trainer: Trainer, { vocabulary }: Corpus): Promise<Float32Array> {
    if (this.#known?.step !== this.#step) {
      const logits = await trainer.readLogits();
      this.#known = { step: this.#step, logits };
      const random = seededRandom(SEED);
      const sentences = Array.from({ length: SENTENCES }, () => {
        const sentence = sampleSentence({ logits, vocabulary, random });
        return /[.!?]$/.test(sentence) ? sentence : `${sentence} …`;
      });
      this.#parts.tell({ kind: 'text', step: this.#step, text: sentences.join(' ') });
    }
    return this.#known.logits;
  }

  /** Goes back to the model that is known, if the trained one is on a device that is no longer the present one. */
  async #leaveLostDevice(): Promise<void> {
    const trainer = this.#trainer;
    if (trainer === undefined || trainer.context === (await this.#contexts.current())) return;
    trainer.destroy();
    this.#trainer = undefined;
    this.#step = this.#known?.step ?? 0;
    this.#parts.tell({ kind: 'rewound', step: this.#step });
  }
}

/** Why a model of so many of the commonest tokens cannot be trained there; `undefined` if it can. */
export function whyTooLarge(
  vocabulary: number,
  { limits }: Pick<AdapterFacts, 'limits'>,
): string | undefined {
  const size = vocabulary + 1;
  const needed = 4 * size * size;
  if (needed <= limits.maxBufferSize) return undefined;
  return (
    `${count(vocabulary)} tokens need matrices of ${bytes(needed)}, and a buffer of this device holds ` +
    `${bytes(limits.maxBufferSize)} at most; choose fewer tokens.`
  );
}

/** Whether an error came of the loss of the device, whatever it says. */
async function wasLost(context: Context, error: unknown): Promise<boolean> {
  if (error instanceof DeviceLostError) {
    await context.lost;
    return true;
  }
  // Calls of WebGPU itself fail in their own words, perhaps before the loss is told.
  const moment = new Promise<false>((resolve) => setTimeout(() => resolve(false), 200));
  return Promise.race([context.lost.then(() => true), moment]);
}
