// What can be trained behind the panel, as the training sees it.
import type { AdapterFacts, Context } from 'webgpu-loss';
import type { Look, News, Reading, Untrained } from './messages.js';

/** A model of one size, to be trained on any context. */
export interface Subject {
  readonly untrained: Untrained;
  /** Its `look` is taken each time so many steps were done. */
  readonly stepsALook: number;
  /**
   * @param kept what a look has kept, of another context; without it the model is untrained
   * @param tell for what is known only now
   */
  open(context: Context, kept: unknown, tell: (news: News) => void): Promise<Pupil>;
}

export type Measured = Omit<Reading, 'step'>;

/** A model in training. */
export interface Pupil {
  /** One update; gives what the model was before it. */
  step(rate: number): Promise<Measured>;
  /** `kept` is what another context can go on from, if the model is small enough to be read each time. */
  look(): Promise<Omit<Look, 'step'> & { readonly kept?: unknown }>;
  /** What the model is now. */
  measure(): Promise<Measured>;
  /** Frees all memory on the device. */
  destroy(): void;
}

/** Makes a subject of the book; `facts` of the adapter that is to train it. */
export type Prepare = (
  book: readonly string[],
  vocabulary: number,
  facts: Pick<AdapterFacts, 'limits' | 'isFallbackAdapter'> & { readonly isGpu: boolean },
) => Promise<Subject>;

/** This machine cannot have the model; the message says why, and what would do. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}
