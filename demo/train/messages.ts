// What the panel and the worker that trains say to each other.
import type { Memory } from '../../examples/language-model/memory.js';
import type { Sizes } from '../../examples/language-model/model.js';
import type { Baselines } from '../../examples/language-model/text.js';
import type { Choice } from '../backend.js';

/** What can be trained: the bigram model of `npm start`, or a language model that is nearly all head. */
export type ModelKind = 'bigrams' | 'head';

/** A model to train. */
export interface Wish {
  readonly model: ModelKind;
  /** How many of the commonest tokens have an id of their own; for the head, that of o200k_base is its whole vocabulary. */
  readonly vocabulary: number;
}

export type Order =
  /** The first one, once. `rate` as below. */
  | ({ readonly kind: 'open'; readonly choice: Choice; readonly rate: number } & Wish)
  /** Another model, untrained, in the place of the one that was. */
  | ({ readonly kind: 'model' } & Wish)
  /** Of the optimizer, from the next step on. */
  | { readonly kind: 'rate'; readonly rate: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'pause' }
  /** Back to the untrained model, and no further. */
  | { readonly kind: 'reset' };

/** A bigram model before its training. */
export interface UntrainedBigrams extends Wish {
  readonly model: 'bigrams';
  /** Rows and columns: these tokens, and one for the rest. */
  readonly size: number;
  /** Share of the text that is the rest, in [0, 1]. */
  readonly restShare: number;
  /** Conditional entropy of the text over this vocabulary, nats a token. */
  readonly floor: number;
}

/** A language model before its training. */
export interface UntrainedHead extends Wish {
  readonly model: 'head';
  readonly sizes: Sizes;
  /** As above; 0 with the whole vocabulary. */
  readonly restShare: number;
  readonly baselines: Baselines;
}

export type Untrained = UntrainedBigrams | UntrainedHead;

/** The model after so many updates; nats a token. */
export interface Reading {
  readonly step: number;
  /** Of the whole text; of the head, of the batch that it learns from, or where it rests, of places all over the text. */
  readonly crossEntropy: number;
  /** Of bigrams alone: from the best there is, counting. */
  readonly divergence?: number;
}

/** A closer look at the model after so many updates. */
export interface Look {
  readonly step: number;
  /** What it writes. */
  readonly text: string;
  /** Of the head alone: cross-entropy of text that it does not learn from, nats a token. */
  readonly heldOut?: number;
}

export type News =
  /** A context is there, or another one after a device was lost; `said` is a sentence for people. */
  | { readonly kind: 'opened'; readonly said: string; readonly isHardware: boolean }
  /** The training is at its beginning: of a new model, or again. */
  | ({ readonly kind: 'untrained' } & Untrained)
  /** What a model of the kind head takes where it is trained now. */
  | { readonly kind: 'memory'; readonly memory: Memory }
  | { readonly kind: 'running'; readonly running: boolean }
  | ({ readonly kind: 'reading' } & Reading)
  | ({ readonly kind: 'look' } & Look)
  /** The device was lost with what it held: the training is at `step` again, and runs if it did. */
  | { readonly kind: 'rewound'; readonly step: number }
  /** The model that was asked for cannot be had; it is still the one of `kept`, if there was one. */
  | { readonly kind: 'refused'; readonly kept: Wish | undefined; readonly why: string }
  | { readonly kind: 'failed'; readonly message: string };
