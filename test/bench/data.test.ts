import { describe, expect, it } from 'vitest';
import { dataOf } from '../../bench/measure/data.js';
import { ALL_OPS, countOf, tensorsOf } from '../../bench/measure/tensors.js';
import { decodeHalf, encodeHalf } from '../../src/half.js';

const of = { op: 'crossEntropy', rows: 20, classes: 500, dtype: 'f32' } as const;

describe('the data of a bench', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(dataOf(of, 1)).toEqual(dataOf(of, 1));
    expect(dataOf(of, 1).inputs['logits']).not.toEqual(dataOf(of, 2).inputs['logits']);
  });

  it('has the same logits for every op', () => {
    expect(dataOf({ ...of, op: 'softmax' }, 1).inputs['logits']).toEqual(dataOf(of, 1).inputs['logits']);
  });

  it('is spiky: some logits are far beyond the others, about one in forty', () => {
    const logits = dataOf(of, 1).inputs['logits'] as Float32Array;
    const far = logits.filter((value) => Math.abs(value) > 10).length / logits.length;
    expect(far).toBeGreaterThan(0.01);
    expect(far).toBeLessThan(0.05);
    expect(Math.max(...logits)).toBeGreaterThan(30);
  });

  it('has targets among the classes', () => {
    const targets = dataOf(of, 1).inputs['targets'] as Int32Array;
    expect(Math.min(...targets)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...targets)).toBeLessThan(of.classes);
    expect(new Set(targets).size).toBeGreaterThan(10);
  });

  it.each(['f16', 'bf16'] as const)('in %s loses nothing when it is stored', (dtype) => {
    for (const op of ALL_OPS) {
      const data = dataOf({ op, rows: 3, features: 6, classes: 40, dtype }, 7);
      for (const tensor of tensorsOf(op).filter(({ use, dtype: own }) => use === 'in' && own === 'case')) {
        const values = data.inputs[tensor.name] as Float32Array;
        expect(decodeHalf(dtype, encodeHalf(dtype, values)), `${op} ${tensor.name}`).toEqual(values);
      }
    }
  });

  it.each(ALL_OPS)('%s has all of its inputs, in their sizes', (op) => {
    const some = { op, rows: 3, features: 6, classes: 40, dtype: 'f32' } as const;
    const { inputs } = dataOf(some, 7);
    const wanted = tensorsOf(op).filter(({ use }) => use === 'in');
    expect(Object.keys(inputs)).toEqual(wanted.map(({ name }) => name));
    for (const tensor of wanted) expect(inputs[tensor.name]).toHaveLength(countOf(tensor, some));
  });
});
