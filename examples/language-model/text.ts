// The book as the model sees it: tokens of o200k_base, a vocabulary of 200,019.

/** Ids of o200k_base reach from 0 to 200,018: those of text first, then some for special tokens, which no text has. */
export const ALL_TOKENS = 200_019;
const TEXT_TOKENS = 199_998;

/** How the token that stands for everything outside a smaller vocabulary is written. */
const REST = '<rest>';

/** Share of the text that is held out: its end, which the model never learns from. */
const HELD_OUT = 1 / 10;

/** A text in token ids, each in [0, classes). */
export interface Text {
  /** Size of the vocabulary. */
  readonly classes: number;
  /** What the model learns from. */
  readonly learned: Int32Array;
  /** What it does not. */
  readonly heldOut: Int32Array;
  /** Number of different tokens of o200k_base in the text. */
  readonly types: number;
  /** The token that stands for all others, if the vocabulary is not the whole one. */
  readonly rest: number | undefined;
  /** Share of the text's tokens that are outside the vocabulary, in [0, 1]. */
  readonly restShare: number;
  /** Writes a text out, without its special tokens. */
  readonly spell: (ids: readonly number[]) => string;
  /** Ids of another text. */
  readonly read: (text: string) => Int32Array;
}

/**
 * Splits a text into tokens of o200k_base. The tokenizer (2.4 MB) is loaded when it is asked for: a bundler makes a file of its own of it.
 *
 * @param parts one string a part, such as a chapter
 * @param vocabulary how many of the commonest tokens get an id of their own, besides one for the rest; without it, all 200,019 have theirs
 */
export async function readText(parts: readonly string[], vocabulary?: number): Promise<Text> {
  const { encode, decode } = await import('./packages/node_modules/gpt-tokenizer/esm/encoding/o200k_base.js');
  const tokens = encode(parts.join('\n\n'));
  const ranked = commonestFirst(tokens);
  const of = (classes: number, ids: Int32Array): Pick<Text, 'classes' | 'learned' | 'heldOut' | 'types'> => {
    const split = Math.round(ids.length * (1 - HELD_OUT));
    return { classes, learned: ids.subarray(0, split), heldOut: ids.subarray(split), types: ranked.length };
  };
  if (vocabulary === undefined) {
    return {
      ...of(ALL_TOKENS, Int32Array.from(tokens)),
      rest: undefined,
      restShare: 0,
      spell: (given) => decode(given.filter((id) => id < TEXT_TOKENS)),
      read: (text) => Int32Array.from(encode(text)),
    };
  }
  const kept = ranked.slice(0, vocabulary);
  const rest = kept.length;
  const idOf = new Map(kept.map((token, id) => [token, id]));
  const toIds = (given: readonly number[]): Int32Array =>
    Int32Array.from(given, (token) => idOf.get(token) ?? rest);
  const ids = toIds(tokens);
  return {
    ...of(rest + 1, ids),
    rest,
    restShare: ids.filter((id) => id === rest).length / ids.length,
    // A token may hold a part of a letter: what stands between two rests is decoded together.
    spell: (given) => {
      let spelled = '';
      let run: number[] = [];
      for (const id of given) {
        if (id !== rest) {
          run.push(kept[id]!);
          continue;
        }
        spelled += decode(run) + REST;
        run = [];
      }
      return spelled + decode(run);
    },
    read: (text) => toIds(encode(text)),
  };
}

/** Different tokens, the commonest first; equally common ones by their ids. */
function commonestFirst(tokens: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return [...counts].toSorted(([a, m], [b, n]) => n - m || a - b).map(([token]) => token);
}

/** What a model must get below to have learned anything, nats a token. */
export interface Baselines {
  /** ln of the vocabulary: every token equally likely. */
  readonly uniform: number;
  /** Entropy of the frequencies in the learned part: the best on it that takes no notice of the context. */
  readonly unigram: number;
  /** Cross-entropy of these frequencies on the held-out part, each count raised by one, so that nothing is impossible. */
  readonly unigramHeldOut: number;
}

export function baselines({
  classes,
  learned,
  heldOut,
}: Pick<Text, 'classes' | 'learned' | 'heldOut'>): Baselines {
  const counts = new Float64Array(classes);
  for (const id of learned) counts[id]! += 1;
  let unigram = 0;
  for (const count of counts) {
    if (count > 0) unigram -= (count / learned.length) * Math.log(count / learned.length);
  }
  let nats = 0;
  for (const id of heldOut) nats -= Math.log((counts[id]! + 1) / (learned.length + classes));
  return { uniform: Math.log(classes), unigram, unigramHeldOut: nats / heldOut.length };
}
