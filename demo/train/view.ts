// What the panel shows of a kind of model besides its text.
import type { Memory } from '../../examples/language-model/memory.js';
import type { Look, Reading, Untrained } from './messages.js';

export interface View {
  /** What the model is, in words. */
  readonly introduction: HTMLElement;
  /** Figures and curves. */
  readonly root: HTMLElement;
  /** What there is to know of its training. */
  readonly about: HTMLElement;
  /** Begins with this model; gives its name, as in "a model of 128 tokens". */
  begin(untrained: Untrained): string;
  /** What the training takes, once it is known. */
  hold(memory: Memory): void;
  /** @param readings and looks, in order of their steps */
  draw(readings: readonly Reading[], looks: readonly Look[]): void;
  /** A sentence for a reading that is worth being told of. */
  milestone(reading: Reading): string | undefined;
  /** The end of the sentence "Paused at step 12: …"; of one reading or more. */
  summary(readings: readonly Reading[]): string;
}
