import type { Bigrams } from './theory.js';

/** A text as the model sees it. */
export interface Corpus {
  /** One spelling for each token id; the last one is `REST`. */
  readonly vocabulary: readonly string[];
  readonly bigrams: Bigrams;
  /** Number of tokens in the text, and of different ones. */
  readonly tokens: number;
  readonly types: number;
  /** Share of the tokens that are outside the vocabulary, in [0, 1]. */
  readonly restShare: number;
}

/** How the token that stands for everything outside the vocabulary is written. */
export const REST = '<rest>';

/** Words (with inner apostrophes and hyphens), numbers, and each punctuation mark by itself. */
const TOKEN = /\p{L}+(?:['’-]\p{L}+)*|\p{N}+|[^\s\p{L}\p{N}]/gu;

/** Splits a text into tokens, as they are spelled. */
export function tokenize(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/**
 * Counts which token follows which, over a vocabulary of the `size` commonest tokens and one for the rest.
 *
 * Case is folded: `The` and `the` are one token. Bigrams do not cross from one part to the next.
 *
 * @param parts the text, one string a part
 * @param size how many of the commonest tokens get an id of their own
 */
export function buildCorpus(parts: readonly string[], size: number): Corpus {
  const spelled = parts.map(tokenize);
  const spellings = countSpellings(spelled);
  const types = [...spellings].map(([folded, forms]) => ({ folded, forms, count: sum(forms.values()) }));
  // Ties in alphabetical order, so that the vocabulary is the same everywhere.
  types.sort((a, b) => b.count - a.count || (a.folded < b.folded ? -1 : 1));

  const kept = types.slice(0, size);
  const ids = new Map(kept.map(({ folded }, id) => [folded, id]));
  const rest = kept.length;
  const sequences = spelled.map((part) => part.map((token) => ids.get(token.toLowerCase()) ?? rest));
  const tokens = sum(types.map(({ count }) => count));
  const inside = sum(kept.map(({ count }) => count));
  return {
    vocabulary: [...kept.map(({ forms }) => commonest(forms)), REST],
    bigrams: countBigrams(sequences, kept.length + 1),
    tokens,
    types: types.length,
    restShare: tokens === 0 ? 0 : (tokens - inside) / tokens,
  };
}

/**
 * Counts the pairs of neighbours.
 *
 * @param sequences token ids, each in [0, size)
 * @param size number of tokens in the vocabulary
 */
export function countBigrams(sequences: readonly (readonly number[])[], size: number): Bigrams {
  const counts = new Uint32Array(size * size);
  const rowCounts = new Float64Array(size);
  let total = 0;
  for (const sequence of sequences) {
    for (let i = 1; i < sequence.length; i++) {
      const previous = sequence[i - 1]!;
      const cell = previous * size + sequence[i]!;
      counts[cell] = counts[cell]! + 1;
      rowCounts[previous] = rowCounts[previous]! + 1;
      total++;
    }
  }
  return { size, counts, rowCounts, total };
}

/** For each case-folded token, how often each of its spellings occurs. */
function countSpellings(parts: readonly (readonly string[])[]): Map<string, Map<string, number>> {
  const spellings = new Map<string, Map<string, number>>();
  for (const token of parts.flat()) {
    const folded = token.toLowerCase();
    let forms = spellings.get(folded);
    if (forms === undefined) {
      forms = new Map();
      spellings.set(folded, forms);
    }
    forms.set(token, (forms.get(token) ?? 0) + 1);
  }
  return spellings;
}

/** The commonest spelling, so that names keep their capitals: `Ahab`, but `the`. */
function commonest(forms: ReadonlyMap<string, number>): string {
  let best = '';
  for (const [form, count] of forms) if (count > (forms.get(best) ?? 0)) best = form;
  return best;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
