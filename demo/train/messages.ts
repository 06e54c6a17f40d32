// What the panel and the worker that trains say to each other.
import type { Choice } from '../backend.js';

export type Order =
  /** The first one, once. `vocabulary` and `rate` as below. */
  | { readonly kind: 'open'; readonly choice: Choice; readonly vocabulary: number; readonly rate: number }
  /** A model of this many of the commonest tokens, untrained, in the place of the one that was. */
  | { readonly kind: 'vocabulary'; readonly vocabulary: number }
  /** Of Adam, from the next step on. */
  | { readonly kind: 'rate'; readonly rate: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'pause' }
  /** Back to the untrained model, and no further. */
  | { readonly kind: 'reset' };

/** A model before its training. */
export interface Untrained {
  /** How many of the commonest tokens have a row of their own. */
  readonly vocabulary: number;
  /** Rows and columns: these tokens, and one for the rest. */
  readonly size: number;
  /** Share of the text that is the rest, in [0, 1]. */
  readonly restShare: number;
  /** Conditional entropy of the text over this vocabulary, nats a token. */
  readonly floor: number;
}

/** The model after so many updates, against the text; nats a token. */
export interface Reading {
  readonly step: number;
  readonly crossEntropy: number;
  readonly divergence: number;
}

export type News =
  /** A context is there, or another one after a device was lost; `said` is a sentence for people. */
  | { readonly kind: 'opened'; readonly said: string }
  /** The training is at its beginning: of a new model, or again. */
  | ({ readonly kind: 'untrained' } & Untrained)
  | { readonly kind: 'running'; readonly running: boolean }
  | ({ readonly kind: 'reading' } & Reading)
  /** Sentences drawn from the model after so many updates. */
  | { readonly kind: 'text'; readonly step: number; readonly text: string }
  /** The device was lost with what it held: the training is at `step` again, and runs if it did. */
  | { readonly kind: 'rewound'; readonly step: number }
  /** This vocabulary cannot be had; the model is still the one of `kept` tokens, if there was one. */
  | {
      readonly kind: 'refused';
      readonly vocabulary: number;
      readonly kept: number | undefined;
      readonly why: string;
    }
  | { readonly kind: 'failed'; readonly message: string };
