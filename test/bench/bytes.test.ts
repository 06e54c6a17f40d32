import { describe, expect, it } from 'vitest';
import { trafficOf } from '../../bench/measure/bytes.js';
import { ALL_OPS, countOf, sizeOf, tensorsOf } from '../../bench/measure/tensors.js';

describe('the bytes of a case', () => {
  it.each([
    ['softmax', 'f32', 2 * 4000, '10·100·4 logits + 10·100·4 output'],
    ['softmax', 'bf16', 2 * 2000, '10·100·2 logits + 10·100·2 output'],
    ['logSumExp', 'f16', 2000 + 40, '10·100·2 logits + 10·4 output'],
    ['crossEntropy', 'f32', 4000 + 40 + 4, '10·100·4 logits + 10·4 targets + 4 loss'],
    ['crossEntropyGrad', 'f32', 8000 + 44, '10·100·4 logits + 10·4 targets + 4 loss + 10·100·4 grad'],
    // Of the log-probabilities, only the targets' are read.
    ['nllLoss', 'f32', 40 + 40 + 4 + 4000, '10·4 logProbs + 10·4 targets + 4 loss + 10·100·4 grad'],
  ] as const)('%s %s', (op, dtype, bytes, formula) => {
    expect(trafficOf({ op, rows: 10, classes: 100, dtype })).toEqual({ bytes, formula });
  });

  it.each(ALL_OPS)('%s: the formula computes to the bytes', (op) => {
    const { bytes, formula } = trafficOf({ op, rows: 7, features: 12, classes: 33, dtype: 'f16' });
    const terms = formula.split(' + ').map((term) => term.split(' ')[0]?.split('·').map(Number) ?? []);
    expect(terms.map((factors) => factors.reduce((a, b) => a * b)).reduce((a, b) => a + b)).toBe(bytes);
  });

  it('tensors have the size of their elements', () => {
    const of = { op: 'logitStats', rows: 3, classes: 5, dtype: 'bf16' } as const;
    const sizes = Object.fromEntries(
      tensorsOf('logitStats').map((tensor) => [tensor.name, [countOf(tensor, of), sizeOf(tensor, of)]]),
    );
    expect(sizes).toMatchObject({ logits: [15, 30], targets: [3, 12], argmax: [3, 12], entropy: [3, 12] });
  });
});
