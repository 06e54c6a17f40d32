import { drawIndex } from '../common/drawIndex.js';
import { logSoftmaxRow } from '../common/softmax.js';
import type { LanguageModel } from './model.js';
import type { Text } from './text.js';

/** What every text begins with: common words, which small vocabularies have too. */
const PROMPT = ' But the old man';

/**
 * Goes on from `PROMPT`, token by token, each drawn from the model. The token for the rest has no spelling, so it is never drawn and the others
 * share its probability.
 *
 * @param count how many tokens to draw
 */
export async function writeText(
  model: Pick<LanguageModel, 'logitsAfter'>,
  { read, rest, spell }: Pick<Text, 'read' | 'rest' | 'spell'>,
  count: number,
  random: () => number,
): Promise<string> {
  const ids = Array.from(read(PROMPT));
  for (let i = 0; i < count; i++) {
    const logits = await model.logitsAfter(ids);
    const probs = logSoftmaxRow(logits, 0, logits.length).map(Math.exp);
    if (rest !== undefined) probs[rest] = 0;
    const next = drawIndex(probs, random());
    if (next === undefined) break;
    ids.push(next);
  }
  return spell(ids).replaceAll(/\s+/g, ' ').trim();
}
