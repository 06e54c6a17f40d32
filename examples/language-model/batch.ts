/** How many tokens before the next one the model sees. */
export const CONTEXT = 4;

/** The target of a row that is to be left out: what `ignoreIndex` is by default. */
const LEFT_OUT = -100;

/** Rows to learn from, or to measure on. */
export interface Batch {
  /** The tokens before each target, the nearest first; shape [rows, CONTEXT]. */
  readonly contexts: Int32Array<ArrayBuffer>;
  /** Shape [rows]. */
  readonly targets: Int32Array<ArrayBuffer>;
}

/** The batch of these places of a text; what is missing to `rows` is left out of the loss. */
export function batchAt(ids: Int32Array, places: readonly number[], rows: number): Batch {
  const contexts = new Int32Array(rows * CONTEXT);
  const targets = new Int32Array(rows).fill(LEFT_OUT);
  for (const [row, place] of places.entries()) {
    for (let k = 0; k < CONTEXT; k++) contexts[row * CONTEXT + k] = ids[place - 1 - k]!;
    targets[row] = ids[place]!;
  }
  return { contexts, targets };
}

/** A batch of places drawn at random. */
export function drawBatch(ids: Int32Array, rows: number, random: () => number): Batch {
  const choices = ids.length - CONTEXT;
  const places = Array.from({ length: rows }, () => CONTEXT + Math.floor(random() * choices));
  return batchAt(ids, places, rows);
}

/** At most `most` places of a text, evenly spread over it. */
export function spreadPlaces(ids: Int32Array, most: number): number[] {
  const choices = ids.length - CONTEXT;
  const count = Math.min(most, choices);
  return Array.from({ length: count }, (_, i) => CONTEXT + Math.floor((i * choices) / count));
}

/** Where in a batch's contexts each different token stands. */
export interface Occurrences {
  /** The different tokens, ascending. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** Indices into `contexts`, those of one token side by side. */
  readonly places: Int32Array<ArrayBuffer>;
  /** Where those of each token begin in `places`; one more at the end. */
  readonly starts: Int32Array<ArrayBuffer>;
}

export function occurrencesOf(contexts: Int32Array): Occurrences {
  const places = Int32Array.from(contexts.keys()).sort((a, b) => contexts[a]! - contexts[b]! || a - b);
  const tokens: number[] = [];
  const starts: number[] = [];
  for (const [i, place] of places.entries()) {
    if (i > 0 && contexts[place] === contexts[places[i - 1]!]) continue;
    tokens.push(contexts[place]!);
    starts.push(i);
  }
  starts.push(places.length);
  return { tokens: Int32Array.from(tokens), places, starts: Int32Array.from(starts) };
}
