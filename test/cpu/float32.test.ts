// The float32 forms against the float64 ones, under the bounds of a kernel that sums exactly and whose exp is off by a quarter of a
// rounding: tighter than what the conformance checks allow the CPU backend.

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { crossEntropy } from '../../src/cpu/float32/crossEntropy.js';
import { expRow, expSum, STEPS } from '../../src/cpu/float32/exp.js';
import { logSumExp } from '../../src/cpu/float32/logSumExp.js';
import { logSoftmax, softmax } from '../../src/cpu/float32/softmax.js';
import * as oracle from '../../src/cpu.js';
import { createContext, softmax as softmaxOfTensor } from '../../src/index.js';
import { elementCount, type Layout, layoutOf } from '../../src/shape.js';
import { type CrossEntropyBounds, crossEntropyBounds } from '../conformance/crossEntropyBounds.js';
import { hardLogits, hardTargets, hardWeights } from '../conformance/data.js';
import { CaseRows } from '../conformance/rows.js';
import {
  type KernelFacts,
  logProbabilityBound,
  logSumExpBound,
  probabilityBound,
  U,
} from '../support/bounds.js';
import { Ledger } from '../support/ledger.js';

const EXP_ERROR = 2 ** -26;
const EXACT_SUMS: KernelFacts = {
  depth: () => 0,
  rowsDepth: () => 1,
  weightsDepth: () => 0,
  c: EXP_ERROR / U,
  k: 0,
  inputError: 0,
};

const ledger = new Ledger('float32');
afterAll(() => console.log(ledger.table()));

type Options = Omit<oracle.CrossEntropyOptions, 'softcap' | 'grad' | 'axis'>;

/** Everything that has a float32 form, on one array of logits. */
function compare(
  logits: Float32Array,
  targets: Int32Array,
  layout: Layout,
  options: Options,
  where: string,
): void {
  const { shape, axis, rows: count } = layout;
  const { temperature = 1 } = options;
  const rows = new CaseRows(layout, logits, { temperature }, EXACT_SUMS);
  const output = new Float32Array(logits.length);

  softmax(logits, output, layout, temperature);
  const probs = oracle.softmax(logits, shape, { axis, temperature });
  ledger.checkAll('softmax', output, probs, (i) => probabilityBound(rows.at(i), rows.classOf(i)), where);
  expect(output.every((p) => !(p > 1))).toBe(true);

  logSoftmax(logits, output, layout, temperature);
  const logProbs = oracle.logSoftmax(logits, shape, { axis, temperature });
  const logBound = (i: number): number => logProbabilityBound(rows.at(i), rows.classOf(i));
  ledger.checkAll('log-softmax', output, logProbs, logBound, where);
  expect(output.every((p) => !(p > 0))).toBe(true);

  if (temperature === 1) {
    const lse = new Float32Array(count);
    logSumExp(logits, lse, layout);
    const exact = oracle.logSumExp(logits, shape, { axis });
    ledger.checkAll('log-sum-exp', lse, exact, (r) => logSumExpBound(rows.row(r)), where);
  }

  const exact = oracle.crossEntropy(logits, targets, shape, { ...options, axis, grad: true });
  const bounds = crossEntropyBounds(rows, targets, options);
  const inPlace = logits.slice();
  const results: Results[] = [
    { grad: new Float32Array(logits.length), logits },
    { grad: inPlace, logits: inPlace },
    // What results in 16 bits are rounded from.
    { grad: new Float64Array(logits.length), logits },
  ];
  for (const { grad, logits: given } of results) {
    const loss = new Float32Array(options.reduction === 'none' ? count : 1);
    const lse = new Float32Array(count);
    const found = crossEntropy(given, targets, shape, { ...options, axis }, { loss, grad, logSumExp: lse });
    expect(found).toEqual(exact.outOfRange);
    checkCrossEntropy({ loss, grad, lse }, exact, bounds, rows, where);
  }
  const loss = new Float32Array(options.reduction === 'none' ? count : 1);
  crossEntropy(logits, targets, shape, { ...options, axis }, { loss });
  ledger.checkAll('loss alone', loss, exact.loss, bounds.loss, where);
}

interface Results {
  readonly logits: Float32Array;
  readonly grad: Float32Array | Float64Array;
}

function checkCrossEntropy(
  actual: { loss: Float32Array; grad: Float32Array | Float64Array; lse: Float32Array },
  exact: oracle.CrossEntropyResult,
  bounds: CrossEntropyBounds,
  rows: CaseRows,
  where: string,
): void {
  ledger.checkAll('loss', actual.loss, exact.loss, bounds.loss, where);
  ledger.checkAll('gradient', actual.grad, exact.grad as Float64Array, bounds.grad, where);
  ledger.checkAll('lse of it', actual.lse, exact.logSumExp, (r) => logSumExpBound(rows.row(r)), where);
}

describe('exp', () => {
  const x = new Float32Array(1);
  const expOf = (value: number, shift: number): number => {
    x[0] = value;
    return expSum(x, 0, 1, shift, STEPS);
  };

  test('is off by less than a quarter of a rounding to float32, from -87 to 79', () => {
    fc.assert(
      fc.property(
        fc.float({ min: -60, max: 60, noNaN: true }),
        fc.double({ min: -79, max: 87, noNaN: true }),
        (value, below) => {
          const exact = Math.exp(value - (value + below));
          ledger.check('exp', expOf(value, value + below), exact, EXP_ERROR * exact, () => `-${below}`);
        },
      ),
      { numRuns: 20_000, seed: 1 },
    );
  });

  test('is 1 at 0, 0 far below the shift, infinite far above it, NaN of NaN', () => {
    expect(expOf(3.7, Math.fround(3.7))).toBe(1);
    for (const below of [88, 1e4, 3e38, Number.POSITIVE_INFINITY]) expect(expOf(-below, 0)).toBe(0);
    for (const above of [81, 1e4, 3e38, Number.POSITIVE_INFINITY])
      expect(expOf(above, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(expOf(Number.NaN, 0)).toBeNaN();
  });

  test('a row is summed from any element to any other, and nothing else is written', () => {
    const row = Float32Array.from({ length: 12 }, (_, i) => -i / 4);
    for (let from = 0; from <= 12; from++) {
      for (let to = from; to <= 12; to++) {
        const out = new Float32Array(12).fill(7);
        const sum = expRow(row, from, to, 0, STEPS, out);
        const exact = Array.from(row, (v, i) => (i >= from && i < to ? Math.exp(v) : 0));
        expect(Math.abs(sum - exact.reduce((a, b) => a + b, 0))).toBeLessThanOrEqual(EXP_ERROR * sum);
        expect(expSum(row, from, to, 0, STEPS)).toBeCloseTo(sum, 12);
        expect(Array.from(out, (v) => v === 7)).toEqual(Array.from(row, (_, i) => i < from || i >= to));
      }
    }
  });
});

describe('against float64', () => {
  const OPTIONS: readonly Options[] = [
    {},
    { reduction: 'none', gradOutput: -2.5 },
    { reduction: 'sum', labelSmoothing: 0.1 },
    { reduction: 'none', labelSmoothing: 1, zLoss: 0.01 },
    { temperature: 0.5, zLoss: 0.001 },
    { temperature: 3, labelSmoothing: 0.2, reduction: 'none' },
    { ignoreIndex: 0, gradOutput: 1e-3 },
  ];

  // Around the four elements that are taken at a time, the eight that softmax looks at, and long rows.
  test.each([1, 2, 3, 4, 5, 7, 8, 9, 10, 64, 257, 4099])('rows of %i classes of every kind', (classes) => {
    const count = 20;
    for (const [k, options] of OPTIONS.entries()) {
      const logits = hardLogits(count, classes, { seed: classes + k });
      const ignore = options.ignoreIndex ?? -100;
      const targets = hardTargets(logits, classes, { seed: k, ignore, finite: options.reduction !== 'none' });
      const layout = layoutOf('test', [count, classes], -1);
      const where = `[${count}, ${classes}] ${JSON.stringify(options)}`;
      compare(logits, targets, layout, options, where);
      compare(
        logits,
        targets,
        layout,
        { ...options, weight: hardWeights(classes, k).map(Math.abs) },
        `${where} weighted`,
      );
    }
  });

  test('rows at the end of the range, and those without a softmax', () => {
    for (const classes of [1, 3, 17, 70]) {
      const logits = hardLogits(30, classes, { seed: classes, extreme: true });
      const targets = hardTargets(logits, classes, { seed: 5 });
      compare(
        logits,
        targets,
        layoutOf('test', [30, classes], -1),
        { reduction: 'none' },
        `extreme ${classes}`,
      );
    }
  });

  test('the classes along another axis', () => {
    const layout = layoutOf('test', [3, 19, 5], 1);
    const logits = hardLogits(15, 19, { seed: 8 });
    const targets = Int32Array.from({ length: 15 }, (_, r) => r % 19);
    compare(logits, targets, layout, { reduction: 'none', labelSmoothing: 0.1 }, 'axis 1');
  });

  test('any bits, any options', () => {
    const bits = fc.oneof(
      { weight: 6, arbitrary: fc.float({ min: -30, max: 30, noNaN: true }) },
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1e-45),
    );
    const cases = fc
      .record({
        outer: fc.nat(3),
        classes: fc.integer({ min: 1, max: 13 }),
        inner: fc.integer({ min: 1, max: 3 }),
      })
      .chain(({ outer, classes, inner }) => {
        const layout = layoutOf('test', [outer, classes, inner], 1);
        const count = elementCount(layout.shape);
        return fc.record({
          layout: fc.constant(layout),
          logits: fc.array(bits, { minLength: count, maxLength: count }).map((x) => Float32Array.from(x)),
          targets: fc
            .array(fc.oneof({ weight: 8, arbitrary: fc.nat(classes - 1) }, fc.constant(-100)), {
              minLength: layout.rows,
              maxLength: layout.rows,
            })
            .map((t) => Int32Array.from(t)),
          options: fc.record<Options>({
            labelSmoothing: fc.constantFrom(0, 0.1, 1),
            temperature: fc.constantFrom(1, 0.7),
            gradOutput: fc.constantFrom(1, -3),
          }),
        });
      });
    fc.assert(
      fc.property(cases, ({ layout, logits, targets, options }) => {
        compare(logits, targets, layout, { ...options, reduction: 'none' }, JSON.stringify(options));
      }),
      { numRuns: 1500, seed: 2 },
    );
  });
});

describe('what the bounds would not notice', () => {
  test('a tiny loss keeps its digits, and so does its gradient', () => {
    const layout = layoutOf('test', [1, 3], -1);
    for (const gap of [5, 20, 40, 80]) {
      const logits = Float32Array.of(0, gap, -3);
      const exact = oracle.crossEntropy(logits, Int32Array.of(1), [1, 3], { grad: true });
      const [loss, grad] = [new Float32Array(1), new Float32Array(3)];
      crossEntropy(logits, Int32Array.of(1), layout.shape, {}, { loss, grad });
      expect(Math.abs((loss[0] as number) / (exact.loss[0] as number) - 1)).toBeLessThan(2 * U);
      expect(Math.abs((grad[1] as number) / (exact.grad?.[1] as number) - 1)).toBeLessThan(3 * U);
    }
  });

  test('softmax finds a maximum out of reach of the first logits', () => {
    for (const first of [Number.NEGATIVE_INFINITY, -200, -3e38]) {
      const logits = new Float32Array(20).fill(first);
      logits.set([1, 2], 15);
      const out = new Float32Array(20);
      softmax(logits, out, layoutOf('test', [20], -1), 1);
      expect(out[16]).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
      expect(out[0]).toBe(0);
    }
  });

  test('the CPU backend uses them', async () => {
    const logits = hardLogits(20, 300, { seed: 4 });
    const layout = layoutOf('test', [20, 300], -1);
    const expected = new Float32Array(logits.length);
    softmax(logits, expected, layout, 1);
    const ctx = await createContext({ backend: 'cpu' });
    const output = await softmaxOfTensor(ctx.tensor(logits, [20, 300]));
    expect(await output.read()).toEqual(expected);
    expect(expected).not.toEqual(Float32Array.from(oracle.softmax(logits, [20, 300])));
    ctx.destroy();
  });

  test('a target out of range is named, and its row is NaN', () => {
    const [loss, grad] = [new Float32Array(3), new Float32Array(6)];
    const found = crossEntropy(
      Float32Array.of(1, 2, 1, 2, 1, 2),
      Int32Array.of(0, 2, 1),
      [3, 2],
      { reduction: 'none' },
      { loss, grad },
    );
    expect(found).toEqual({ row: 1, value: 2 });
    expect(Array.from(loss, Number.isNaN)).toEqual([false, true, false]);
    expect(Array.from(grad, Number.isNaN)).toEqual([false, false, true, true, false, false]);
  });
});
