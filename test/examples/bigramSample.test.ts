import { describe, expect, it } from 'vitest';
import { REST } from '../../examples/bigram/corpus.js';
import { joinTokens, sampleSentence } from '../../examples/bigram/sample.js';
import { seededRandom } from '../../examples/common/random.js';

const vocabulary = ['whale', '.', 'Ahab', REST];

/** The same row of probabilities after every token. */
function logitsOf(row: readonly number[]): number[] {
  return vocabulary.flatMap(() => row.map(Math.log));
}

describe('sampleSentence', () => {
  it('draws tokens as often as the model says, never the rest, and stops at a full stop', () => {
    // Without the rest's half: whale 0.2, full stop 0.5, Ahab 0.3.
    const logits = logitsOf([0.1, 0.25, 0.15, 0.5]);
    const random = seededRandom(7);
    const counts = new Map<string, number>();
    const sentences = 20_000;
    for (let i = 0; i < sentences; i++) {
      const sentence = sampleSentence({ logits, vocabulary, random, maxTokens: 1000 });
      for (const token of sentence.match(/\w+|\./g) ?? []) {
        counts.set(token.toLowerCase(), (counts.get(token.toLowerCase()) ?? 0) + 1);
      }
    }
    // One full stop a sentence, so 40,000 tokens; 5 standard deviations of a count are below 500.
    expect([...counts.keys()].toSorted()).toEqual(['.', 'ahab', 'whale']);
    expect(counts.get('.')).toBe(sentences);
    expect(Math.abs(counts.get('whale')! - 8000)).toBeLessThan(500);
    expect(Math.abs(counts.get('ahab')! - 12_000)).toBeLessThan(500);
  });

  it('gives the same sentence for the same seed, another for another', () => {
    const logits = logitsOf([0.5, 0.02, 0.48, 0]);
    const draw = (seed: number) => sampleSentence({ logits, vocabulary, random: seededRandom(seed) });
    expect(draw(1)).toBe(draw(1));
    expect(draw(1)).not.toBe(draw(2));
  });

  it('cuts a sentence that does not end, and ends where only the rest can follow', () => {
    const random = seededRandom(3);
    const endless = sampleSentence({ logits: logitsOf([1, 0, 0, 0]), vocabulary, random, maxTokens: 3 });
    expect(endless).toBe('Whale whale whale');
    expect(sampleSentence({ logits: logitsOf([0, 0, 0, 1]), vocabulary, random })).toBe('');
  });
});

describe('joinTokens', () => {
  it('writes English', () => {
    const tokens = [
      '"',
      'aye',
      ',',
      'sir',
      '—',
      'aye',
      '!',
      '"',
      'said',
      'Ahab',
      '(',
      'the',
      'captain',
      ')',
      '.',
    ];
    expect(joinTokens(tokens)).toBe('"Aye, sir—aye!" said Ahab (the captain).');
  });
});
