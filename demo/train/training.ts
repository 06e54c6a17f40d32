// The training behind the panel, one step after the other. Knows neither page nor worker, and of a model only what a `Subject` is.
import { type Context, DeviceLostError } from 'webgpu-loss';
import type { LastingContext } from '../backend.js';
import { count } from '../format.js';
import { prepareBigrams } from './bigrams.js';
import { prepareHead } from './head.js';
import type { ModelKind, News, Order, Wish } from './messages.js';
import { type Measured, type Prepare, type Pupil, RefusedError, type Subject } from './subject.js';

/** The training rests by itself after so many steps, and again after as many more. */
export const STEPS_A_RUN = 200;

const KINDS: Readonly<Record<ModelKind, Prepare>> = { bigrams: prepareBigrams, head: prepareHead };

/** A step takes no less, in milliseconds: people are to see what happens. */
const SHORTEST_STEP = 50;

export interface TrainingParts {
  readonly readBook: () => Promise<readonly string[]>;
  /** `lastingContext` for the choice that was made. */
  readonly openContexts: (onOpen: (said: string, context: Context) => void) => LastingContext;
  readonly tell: (news: News) => void;
  /** Milliseconds; by default what people can follow. */
  readonly shortestStep?: number;
}

export type TrainingOrder = Exclude<Order, { kind: 'open' }>;

/** When the model was last looked at, and what was kept of it. */
interface Known {
  readonly step: number;
  readonly kept?: unknown;
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
  #subject: Subject | undefined;
  #rate: number;
  #running = false;
  /** Updates so far, and at how many of them it rests. */
  #step = 0;
  #rest = STEPS_A_RUN;
  #pupil: { readonly pupil: Pupil; readonly context: Context } | undefined;
  #known: Known | undefined;
  #stepIsComing = false;

  constructor(parts: TrainingParts, { model, vocabulary, rate }: Wish & { readonly rate: number }) {
    this.#parts = parts;
    this.#rate = rate;
    this.#book = parts.readBook();
    this.#contexts = parts.openContexts((said, { backend, info }) => {
      parts.tell({ kind: 'opened', said, isHardware: backend === 'webgpu' && !info.isFallbackAdapter });
      this.#enqueue(() => this.#leaveLostDevice());
    });
    this.obey({ kind: 'model', model, vocabulary });
  }

  obey(order: TrainingOrder): void {
    this.#enqueue(async () => {
      switch (order.kind) {
        case 'model':
          await this.#choose(order);
          break;
        case 'rate':
          this.#rate = order.rate;
          break;
        case 'start':
          if (this.#subject === undefined) break;
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
  async #choose({ model, vocabulary }: Wish): Promise<void> {
    const { info, backend } = await this.#contexts.current();
    const book = await this.#book;
    try {
      this.#subject = await KINDS[model](book, vocabulary, { ...info, isGpu: backend === 'webgpu' });
    } catch (error) {
      const why =
        error instanceof RangeError
          ? `There is no memory for ${count(vocabulary)} tokens (${error.message}); choose fewer.`
          : error instanceof RefusedError && error.message;
      if (!why) throw error;
      const has = this.#subject?.untrained;
      const kept = has && { model: has.model, vocabulary: has.vocabulary };
      this.#parts.tell({ kind: 'refused', kept, why });
      return;
    }
    this.#reset();
  }

  #reset(): void {
    if (this.#running) this.#setRunning(false);
    this.#pupil?.pupil.destroy();
    this.#pupil = undefined;
    this.#known = undefined;
    this.#step = 0;
    this.#rest = STEPS_A_RUN;
    if (this.#subject !== undefined) this.#parts.tell({ kind: 'untrained', ...this.#subject.untrained });
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
    const subject = this.#subject;
    if (!this.#running || subject === undefined) return;
    const start = performance.now();
    const context = await this.#contexts.current();
    try {
      const pupil = await this.#openPupil(context, subject);
      if (this.#step % subject.stepsALook === 0) await this.#look(pupil);
      this.#read(await pupil.step(this.#rate));
      this.#step++;
      if (this.#step === this.#rest) {
        await this.#look(pupil);
        this.#read(await pupil.measure());
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

  #read(measured: Measured): void {
    this.#parts.tell({ kind: 'reading', step: this.#step, ...measured });
  }

  async #openPupil(context: Context, subject: Subject): Promise<Pupil> {
    await this.#leaveLostDevice();
    if (this.#pupil === undefined) {
      const pupil = await subject.open(context, this.#known?.kept, this.#parts.tell);
      this.#pupil = { pupil, context };
    }
    return this.#pupil.pupil;
  }

  /** What the present model writes; what is known already is not looked at again. */
  async #look(pupil: Pupil): Promise<void> {
    const step = this.#step;
    if (this.#known?.step === step) return;
    const { kept, ...told } = await pupil.look();
    this.#known = { step, kept };
    this.#parts.tell({ kind: 'look', step, ...told });
  }

  /** Goes back to the model that was kept, if the trained one is on a device that is no longer the present one. */
  async #leaveLostDevice(): Promise<void> {
    const lost = this.#pupil;
    if (lost === undefined || lost.context === (await this.#contexts.current())) return;
    lost.pupil.destroy();
    this.#pupil = undefined;
    if (this.#known?.kept === undefined) this.#known = undefined;
    this.#step = this.#known?.step ?? 0;
    this.#parts.tell({ kind: 'rewound', step: this.#step });
  }
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
