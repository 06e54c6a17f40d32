import { drawIndex } from '../common/drawIndex.js';
import { logSoftmaxRow } from '../common/softmax.js';
import { REST } from './corpus.js';

const SENTENCE_ENDS = new Set(['.', '!', '?']);
const NO_SPACE_BEFORE = new Set([...',.;:!?)]']);
const NO_SPACE_AFTER = new Set([...'([—']);

/** What to sample, and from which model. */
export interface SampleOptions {
  /** Shape [V, V]: row a holds the logits of what follows token a. */
  readonly logits: ArrayLike<number>;
  /** V spellings. */
  readonly vocabulary: readonly string[];
  readonly random: () => number;
  /** Where a sentence is cut off, in tokens. */
  readonly maxTokens?: number;
}

/**
 * One sentence: starts as something that follows a full stop, goes on until one is drawn. The token for the rest has no
 * spelling, so it is never drawn and the others share its probability.
 */
export function sampleSentence({ logits, vocabulary, random, maxTokens = 30 }: SampleOptions): string {
  const stop = vocabulary.indexOf('.');
  // In a tiny vocabulary without one: after the commonest token.
  let token = Math.max(stop, 0);
  const tokens: string[] = [];
  while (tokens.length < maxTokens) {
    const next = drawNext(logits, vocabulary, token, random());
    if (next === undefined) break;
    token = next;
    tokens.push(vocabulary[token]!);
    if (SENTENCE_ENDS.has(vocabulary[token]!)) break;
  }
  return joinTokens(tokens);
}

/** Draws from row `token` of softmax(logits), the rest left out; undefined when nothing else is possible. */
function drawNext(
  logits: ArrayLike<number>,
  vocabulary: readonly string[],
  token: number,
  uniform: number,
): number | undefined {
  const size = vocabulary.length;
  const probs = logSoftmaxRow(logits, token * size, size).map(Math.exp);
  const rest = vocabulary.indexOf(REST);
  if (rest >= 0) probs[rest] = 0;
  return drawIndex(probs, uniform);
}

/** Writes tokens as English: no space before a comma or after a dash, quotes opened and closed in turn. */
export function joinTokens(tokens: readonly string[]): string {
  let text = '';
  let glue = true;
  let quoted = false;
  for (const token of tokens) {
    const quote = token === '"';
    const closes = NO_SPACE_BEFORE.has(token) || token === '—' || (quote && quoted);
    text += glue || closes ? token : ` ${token}`;
    glue = NO_SPACE_AFTER.has(token) || (quote && !quoted);
    if (quote) quoted = !quoted;
  }
  return text.replace(/\p{L}/u, (first) => first.toUpperCase());
}
