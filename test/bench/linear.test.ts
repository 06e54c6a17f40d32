// Linear layers in the benches: their data, what is right, what is counted, and how much memory each contender takes.
import { describe, expect, it } from 'vitest';
import * as library from 'webgpu-loss';
import * as oracle from 'webgpu-loss/cpu';
import { benchCase, type Outcome } from '../../bench/measure/benchCase.js';
import { LARGE_LINEAR_SHAPES, LINEAR_SHAPES } from '../../bench/measure/cases.js';
import { check } from '../../bench/measure/check.js';
import { type Case, type CaseData, LeftOut, type Results } from '../../bench/measure/contender.js';
import { dataOf } from '../../bench/measure/data.js';
import { type Expectation, expectationOf } from '../../bench/measure/expectation.js';
import { filteredContender } from '../../bench/measure/filtered.js';
import { flopsOf } from '../../bench/measure/flops.js';
import { contextCount, contextsOf } from '../../bench/measure/head.js';
import { expectationOfRows } from '../../bench/measure/linearExpectation.js';
import { oursContender, planOf } from '../../bench/measure/ours.js';
import {
  chunkedBytes,
  chunkedContender,
  logitsBytes,
  materialisedContender,
} from '../../bench/measure/scratch.js';
import { LAYERS } from '../../bench/peers/shapes.js';
import { openGpu } from '../../scripts/adapters.js';
import { type LinearProblem, linearBounds } from '../conformance/linearBounds.js';
import { CONSERVATIVE } from '../support/bounds.js';
import { fakeDevice } from '../support/fakeDevice.js';

const layer = (op: Case['op'], rows: number, features: number, classes: number): Case => ({
  op,
  rows,
  features,
  classes,
  dtype: 'f32',
});

describe('the work of a product', () => {
  it.each([
    ['matMul', 2 * 3 * 5 * 7, '2·3·5·7 logits'],
    ['linearCrossEntropy', 2 * 3 * 5 * 7, '2·3·5·7 logits'],
    ['linearCrossEntropyGrad', 3 * 2 * 3 * 5 * 7, '2·3·5·7 logits + 2·3·5·7 gradHidden + 2·3·5·7 gradWeight'],
  ] as const)('of %s', (op, flops, formula) => {
    expect(flopsOf(layer(op, 3, 5, 7))).toEqual({ flops, formula });
  });

  it('is none where there is no product', () => {
    expect(flopsOf({ op: 'crossEntropyGrad', rows: 3, classes: 7, dtype: 'f32' })).toBeUndefined();
  });
});

describe('the data of a linear layer', () => {
  const of = layer('linearCrossEntropy', 60, 128, 3000);
  const { hidden, weight, targets } = dataOf(of, 5).inputs as Record<string, Float32Array> & {
    targets: Int32Array;
  };
  const { loss } = oracle.linearCrossEntropy(
    hidden as Float32Array,
    weight as Float32Array,
    targets,
    [60, 128, 3000],
    { reduction: 'none' },
  );

  it('is that of a trained head: most targets are likely, and some are not', () => {
    const share = (holds: (loss: number) => boolean): number => loss.filter(holds).length / loss.length;
    expect(share((nats) => nats < 1)).toBeGreaterThan(0.3);
    expect(share((nats) => nats > Math.log(3000))).toBeGreaterThan(0.05);
    // Uniform logits would make each loss the logarithm of the number of classes.
    expect(share((nats) => Math.abs(nats - Math.log(3000)) < 0.5)).toBeLessThan(0.2);
  });

  it('has a few features far above the others', () => {
    const loud = (hidden?.filter((value) => Math.abs(value) > 8).length as number) / (60 * 128);
    expect(loud).toBeGreaterThan(0.005);
    expect(loud).toBeLessThan(0.05);
  });

  it('is the same for a product as for a loss', () => {
    const inputs = dataOf({ ...of, op: 'matMul' }, 5).inputs as Record<string, Float32Array>;
    expect(Object.keys(inputs)).toEqual(['hidden', 'weight']);
    expect(inputs['hidden']?.every((value, i) => value === hidden?.[i])).toBe(true);
    expect(inputs['weight']?.every((value, i) => value === weight?.[i])).toBe(true);
  });

  it('repeats rows only where float64 would take minutes', () => {
    for (const [rows, features, classes] of LINEAR_SHAPES) {
      expect(contextCount(layer('linearCrossEntropy', rows, features, classes))).toBe(rows);
    }
    for (const [rows, features, classes] of LARGE_LINEAR_SHAPES) {
      const large = layer('linearCrossEntropy', rows, features, classes);
      const count = contextCount(large);
      expect(count).toBeGreaterThanOrEqual(8);
      expect(count * features * classes).toBeLessThanOrEqual(2 ** 31 + 8 * features * classes);
      expect(count * classes).toBeLessThanOrEqual(2 ** 24 + 8 * classes);
      const contexts = contextsOf(large, 1);
      expect(contexts).toHaveLength(rows);
      expect([...new Set(contexts)].sort((a, b) => a - b)).toEqual(
        Array.from({ length: count }, (_, k) => k),
      );
      // In no order that a kernel could share.
      expect(contexts.slice(count, 2 * count)).not.toEqual(contexts.slice(0, count));
    }
  });
});

describe('what is right of a linear layer', () => {
  const of = layer('linearCrossEntropyGrad', 7, 5, 40);
  const { hidden, weight, targets } = dataOf({ ...of, rows: 3 }, 9).inputs as {
    hidden: Float32Array<ArrayBuffer>;
    weight: Float32Array<ArrayBuffer>;
    targets: Int32Array<ArrayBuffer>;
  };
  const contexts = Int32Array.of(0, 1, 2, 1, 0, 0, 2);
  const repeated = { hidden, weight, targets, shape: [3, 5, 40], options: {}, contexts } as const;
  const all: LinearProblem = {
    hidden: Float32Array.from([...contexts].flatMap((k) => [...hidden.subarray(5 * k, 5 * k + 5)])),
    weight,
    targets: Int32Array.from(contexts, (k) => targets[k] as number),
    shape: [7, 5, 40],
    options: {},
  };

  it('is the same whether repeated rows are computed once or each', () => {
    const once = expectationOfRows(of, repeated);
    const exact = oracle.linearCrossEntropy(all.hidden, weight, all.targets, all.shape, { grad: true });
    const bounds = linearBounds(all, CONSERVATIVE);
    for (const name of ['loss', 'gradHidden', 'gradWeight'] as const) {
      const { values, bound } = once[name] as Expectation[string];
      const each = exact[name] as Float64Array;
      expect(values).toHaveLength(each.length);
      for (const [i, value] of each.entries()) {
        expect(Math.abs((values[i] as number) - value)).toBeLessThanOrEqual(1e-13);
        expect(bound(i) / bounds[name](i)).toBeCloseTo(1, 9);
      }
    }
    const product = expectationOfRows({ ...of, op: 'matMul' }, repeated)['logits'] as Expectation[string];
    for (const [r, k] of contexts.entries()) {
      expect(product.values[40 * r]).toBe(product.values[40 * k]);
      expect(product.bound(40 * r)).toBe(product.bound(40 * k));
    }
  });

  it('of a product is within its bound where it is rounded to float32, and no longer an error of twice the bound away', () => {
    const product = { ...of, op: 'matMul' } as const;
    const data: CaseData = dataOf(product, 2);
    const expectation = expectationOf(product, data);
    const { values, bound } = expectation['logits'] as Expectation[string];
    const logits = Float32Array.from(values);
    expect(check(product, { logits }, expectation).wrong).toBeUndefined();
    logits[11] = (logits[11] as number) + 2 * bound(11);
    expect(check(product, { logits }, expectation).wrong).toContain('logits[11]');
  });
});

describe('an eighth of the logits', async () => {
  const context = await library.createContext({ device: fakeDevice(), policy: { staged: false } });

  it.each([...LINEAR_SHAPES, ...LAYERS].map((shape) => [shape.join('x'), shape] as const))(
    'of %s is eight chunks of whole tiles',
    async (_, [rows, features, classes]) => {
      const of = layer('linearCrossEntropyGrad', rows, features, classes);
      const plan = await planOf(library, context, of, { maxScratchBytes: chunkedBytes(of) });
      const products = plan.passes.filter(({ variant }) => variant.startsWith('product/logits'));
      expect(products).toHaveLength(8);
      expect(plan.scratchBytes).toBeLessThan(1.3 * (logitsBytes(of) / 8));
      plan.destroy();
    },
  );
});

const { gpu } = await openGpu();

describe.runIf(gpu !== null)('contenders with more and with less memory', async () => {
  const context = await library.createContext({ backend: 'webgpu', gpu: gpu as GPU });
  const of = layer('linearCrossEntropyGrad', 40, 6, 1003);
  const data = dataOf(of, 3);

  it('hold all logits, or an eighth of them, and say how many bytes', async () => {
    const found: Record<string, { bytes: number; products: number; results: Results | undefined }> = {};
    for (const contender of [
      materialisedContender({ library, context }),
      chunkedContender({ library, context }),
    ]) {
      const prepared = await contender.prepare(of, data);
      found[contender.name] = {
        bytes: prepared?.scratchBytes as number,
        products: (prepared?.passes ?? []).filter(({ variant }) => variant.startsWith('product/logits'))
          .length,
        results: await prepared?.results(),
      };
      prepared?.destroy();
    }
    const { materialised, 'ours-chunked': chunked } = found;
    expect(logitsBytes(of)).toBe(40 * 1004 * 4);
    expect(materialised?.bytes).toBeGreaterThanOrEqual(logitsBytes(of));
    expect(materialised?.products).toBe(1);
    expect(chunked?.bytes).toBeLessThan(logitsBytes(of) / 3);
    expect(chunked?.products).toBe(5);
    const expectation = expectationOf(of, data);
    for (const { results } of Object.values(found)) {
      expect(check(of, results as Results, expectation).wrong).toBeUndefined();
    }
  });

  it('with a filter are right as filtered, and only so', async () => {
    const contender = filteredContender({ library, context });
    expect(await contender.prepare({ ...of, op: 'linearCrossEntropy' }, data)).toBeUndefined();
    const prepared = await contender.prepare(of, data);
    const results = (await prepared?.results()) as Results;
    prepared?.destroy();
    expect(check(of, results, expectationOf(of, data, contender.gradFilter)).wrong).toBeUndefined();
    expect(check(of, results, expectationOf(of, data)).wrong).toMatch(/^grad(Hidden|Weight)/);
    const options = { rounds: 1, sampleMs: 0, budgetMs: 0 };
    const [{ wrong, timing }] = (await benchCase(of, data, [contender], options)) as [Outcome];
    expect(wrong).toBeUndefined();
    expect(timing?.rounds).toBe(1);
  });

  it('are left out where the adapter holds less than all logits', async () => {
    const stingy = {
      ...library,
      planLinearCrossEntropy: (ctx, options) =>
        library.planLinearCrossEntropy(ctx, { ...options, maxScratchBytes: 50_000 }),
    } as typeof library;
    const refusing = {
      ...library,
      planLinearCrossEntropy: () =>
        Promise.reject(new library.OutOfMemoryError('there is no more', { op: 'linearCrossEntropy' })),
    } as typeof library;
    const tried = (other: typeof library) =>
      materialisedContender({ library: other, context }).prepare(
        { ...of, rows: 400 },
        dataOf({ ...of, rows: 400 }, 3),
      );
    const huge = layer('linearCrossEntropyGrad', 2 ** 20, 6, 2 ** 20);
    await expect(materialisedContender({ library, context }).prepare(huge, data)).rejects.toThrow(
      /the logits take 4194304 MiB: a binding of this adapter holds \d+ MiB/,
    );
    await expect(tried(stingy)).rejects.toThrow(LeftOut);
    await expect(tried(stingy)).rejects.toThrow(
      /the logits take 2 MiB: a binding of this adapter holds \d+ MiB/,
    );
    await expect(tried(refusing)).rejects.toThrow(LeftOut);
    await expect(tried(refusing)).rejects.toThrow('the logits take 2 MiB: there is no more');
  });

  it('have no chunks where there is nothing to cut', async () => {
    const few = { ...of, rows: 8 };
    expect(await chunkedContender({ library, context }).prepare(few, dataOf(few, 3))).toBeUndefined();
    const short = layer('linearCrossEntropyGrad', 20, 6, 20);
    await expect(chunkedContender({ library, context }).prepare(short, dataOf(short, 3))).rejects.toThrow(
      'rows so short',
    );
  });

  it('a revision without the operation is left out', async () => {
    const { planLinearCrossEntropy: _, ...old } = library;
    const rival = oursContender({ library: old as typeof library, context, name: 'ours@old' });
    await expect(rival.prepare(of, data)).rejects.toThrow(LeftOut);
  });
});

it('on the CPU nothing has memory for logits', async () => {
  const context = await library.createContext({ backend: 'cpu' });
  const of = layer('linearCrossEntropyGrad', 20, 6, 1003);
  for (const contender of [materialisedContender, chunkedContender]) {
    expect(await contender({ library, context }).prepare(of, dataOf(of, 3))).toBeUndefined();
  }
});
