import { describe, expect, test } from 'vitest';
import { Memory } from '../../src/cpu/memory.js';
import { createContext, crossEntropy } from '../../src/index.js';

const PAGES = 2 ** 16;

describe('memory', () => {
  test('is used again when it was given back, and only then', () => {
    const memory = new Memory();
    const first = memory.take(PAGES);
    expect(memory.take(PAGES)).not.toBe(first);
    memory.give(first);
    expect(memory.take(2 * PAGES)).not.toBe(first);
    expect(memory.take(PAGES)).toBe(first);
    expect(memory.take(PAGES)).not.toBe(first);
  });

  test('what is small is new each time: zeros', () => {
    const memory = new Memory();
    const small = memory.take(64);
    new Uint8Array(small).fill(1);
    memory.give(small);
    expect(new Uint8Array(memory.take(64))).toEqual(new Uint8Array(64));
  });

  test('of the last tensors that were destroyed is kept, not of all', () => {
    const memory = new Memory();
    const all = Array.from({ length: 17 }, () => memory.take(PAGES));
    for (const each of all) memory.give(each);
    const again = new Set(all.map(() => memory.take(PAGES)));
    expect(all.map((each) => again.has(each))).toEqual(all.map((_, k) => k > 0));
  });

  test('a destroyed tensor shows through in no result', async () => {
    const ctx = await createContext({ backend: 'cpu' });
    const shape = [64, 300];
    const run = async (): Promise<Float32Array> => {
      const logits = ctx.tensor(new Float32Array(64 * 300), shape);
      const targets = Int32Array.from({ length: 64 }, (_, r) => (r % 2 === 0 ? -100 : r));
      const { loss, grad } = await crossEntropy(logits, targets, { grad: true });
      const values = (await grad?.read()) as Float32Array;
      for (const tensor of [logits, loss, grad]) tensor?.destroy();
      return values;
    };
    const fresh = await run();
    const dirty = ctx.tensor(new Float32Array(64 * 300).fill(5), shape);
    dirty.destroy();
    expect(await run()).toEqual(fresh);
    ctx.destroy();
  });
});
