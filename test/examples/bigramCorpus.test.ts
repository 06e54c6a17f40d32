import { beforeAll, describe, expect, it } from 'vitest';
import { buildCorpus, type Corpus, countBigrams, REST, tokenize } from '../../examples/bigram/corpus.js';
import { readBook } from '../../examples/common/book.js';

describe('tokenize', () => {
  it('keeps inner apostrophes and hyphens, and takes each punctuation mark by itself', () => {
    expect(tokenize('"Don\'t—o\'er the whale-ship, 1851!"\n\n- Œuvre')).toEqual([
      ...['"', "Don't", '—', "o'er", 'the', 'whale-ship', ',', '1851', '!', '"', '-', 'Œuvre'],
    ]);
  });

  it('finds no token in blanks', () => {
    expect(tokenize(' \n\t ')).toEqual([]);
  });
});

describe('buildCorpus', () => {
  // the: 3, ahab: 2, saw: 2, and one each of whale and boat.
  const parts = ['The whale saw Ahab', 'the Ahab saw the boat'];

  it('keeps the commonest tokens, ties in alphabetical order, in their commonest spelling', () => {
    expect(buildCorpus(parts, 3).vocabulary).toEqual(['the', 'Ahab', 'saw', REST]);
  });

  it('counts which token follows which, within a part only', () => {
    const { bigrams, tokens, types, restShare } = buildCorpus(parts, 3);
    // The rows: the, Ahab, saw, the rest. "Ahab" ends the first part, so nothing follows it there.
    expect([...bigrams.counts]).toEqual([0, 1, 0, 2, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0]);
    expect([...bigrams.rowCounts]).toEqual([3, 1, 2, 1]);
    expect(bigrams.total).toBe(7);
    expect({ tokens, types, restShare }).toEqual({ tokens: 9, types: 5, restShare: 2 / 9 });
  });

  it('has a token for the rest even where there is no rest', () => {
    const { vocabulary, bigrams, restShare } = buildCorpus(parts, 100);
    expect(vocabulary).toHaveLength(6);
    expect(bigrams.rowCounts[5]).toBe(0);
    expect(restShare).toBe(0);
  });
});

describe('Moby Dick', () => {
  let book: string[];
  let corpus: Corpus;
  beforeAll(async () => {
    book = await readBook();
    corpus = buildCorpus(book, 2048);
  });

  it('is the whole book', () => {
    expect(book).toHaveLength(139);
    expect(book[3]).toMatch(/^Call me Ishmael\./);
    expect(book.at(-1)).toMatch(/another orphan\./);
  });

  it('has as many bigrams as tokens, less one a part', () => {
    expect(corpus.tokens).toBeGreaterThan(250_000);
    expect(corpus.bigrams.total).toBe(corpus.tokens - book.length);
    expect(corpus.bigrams.counts.reduce((sum, count) => sum + count, 0)).toBe(corpus.bigrams.total);
  });

  it('has the name of the whale as often as the text has it', () => {
    const { vocabulary, bigrams } = corpus;
    const pair = bigrams.counts[vocabulary.indexOf('Moby') * bigrams.size + vocabulary.indexOf('Dick')];
    // Not "Dick's": that is a token of its own.
    expect(pair).toBe([...book.join(' ').matchAll(/\bmoby\s+dick(?!['’-]\p{L}|\p{L})/giu)].length);
    expect(pair).toBeGreaterThan(50);
  });

  it('covers most of the text with 2,048 tokens', () => {
    expect(corpus.vocabulary).toHaveLength(2049);
    expect(new Set(corpus.vocabulary).size).toBe(2049);
    expect(corpus.restShare).toBeGreaterThan(0.1);
    expect(corpus.restShare).toBeLessThan(0.2);
  });
});

describe('countBigrams', () => {
  it('counts nothing in sequences of one token', () => {
    expect(countBigrams([[1], [0], []], 2)).toEqual({
      size: 2,
      counts: new Uint32Array(4),
      rowCounts: new Float64Array(2),
      total: 0,
    });
  });
});
