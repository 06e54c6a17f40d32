// The float32 forms against the float64 ones, in JavaScript and in WebAssembly, under bounds that are tighter than what the conformance
// checks allow the CPU backend.

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { crossEntropy } from '../../src/cpu/float32/crossEntropy.js';
import { expRow, expSum, STEPS } from '../../src/cpu/float32/exp.js';
import { logSumExp } from '../../src/cpu/float32/logSumExp.js';
import { plain } from '../../src/cpu/float32/plain.js';
import type { RowMachine } from '../../src/cpu/float32/rows.js';
import { openSimd } from '../../src/cpu/float32/simd/machine.js';
import { logSoftmax, softmax } from '../../src/cpu/float32/softmax.js';
import * as oracle from '../../src/cpu.js';
import { elementCount, type Layout, layoutOf } from '../../src/shape.js';
import { sameBits } from '../conformance/assert.js';
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

/** Relative errors of exp. */
const EXP_ERROR = 2 ** -26;
const SIMD_EXP_ERROR = 1.4 * U;

/** Sums of whole rows are as good as exact. */
const EXACT_SUMS: KernelFacts = {
  depth: () => 0,
  rowsDepth: () => 1,
  weightsDepth: () => 0,
  c: EXP_ERROR / U,
  k: 0,
  inputError: 0,
};

const simd = await openSimd();

/** What is tested. */
interface Subject {
  readonly language: string;
  readonly machine: RowMachine;
  readonly kernel: KernelFacts;
  readonly ledger: Ledger;
}

const subject = (machine: RowMachine, kernel: KernelFacts): Subject => {
  const { language } = machine;
  return { language, machine, kernel, ledger: new Ledger(language) };
};
const SUBJECTS = [
  subject(plain, EXACT_SUMS),
  // The difference from the maximum is rounded, and so is the sum of two exps.
  subject(simd, { ...EXACT_SUMS, c: SIMD_EXP_ERROR / U + 1, k: 1 }),
];

afterAll(() => {
  for (const { ledger } of SUBJECTS) console.log(ledger.table());
});

type Options = Omit<oracle.CrossEntropyOptions, 'softcap' | 'grad' | 'axis'>;

/** Everything that has a float32 form, on one array of logits. */
function compare(
  { machine, kernel, ledger }: Subject,
  logits: Float32Array,
  targets: Int32Array,
  layout: Layout,
  options: Options,
  where: string,
): void {
  const { shape, axis, rows: count } = layout;
  const { temperature = 1 } = options;
  const rows = new CaseRows(layout, logits, { temperature }, kernel);
  const output = new Float32Array(logits.length);

  softmax(machine, logits, output, layout, temperature);
  const probs = oracle.softmax(logits, shape, { axis, temperature });
  ledger.checkAll('softmax', output, probs, (i) => probabilityBound(rows.at(i), rows.classOf(i)), where);
  // Nor is one subnormal, which processors are slow with.
  expect(output.every((p) => !(p > 1 || (p > 0 && p < 2 ** -126)))).toBe(true);
  const overLogits = logits.slice();
  softmax(machine, overLogits, overLogits, layout, temperature);
  sameBits(overLogits, output, `in place, ${where}`);

  logSoftmax(machine, logits, output, layout, temperature);
  const logProbs = oracle.logSoftmax(logits, shape, { axis, temperature });
  const logBound = (i: number): number => logProbabilityBound(rows.at(i), rows.classOf(i));
  ledger.checkAll('log-softmax', output, logProbs, logBound, where);
  expect(output.every((p) => !(p > 0))).toBe(true);
  overLogits.set(logits);
  logSoftmax(machine, overLogits, overLogits, layout, temperature);
  sameBits(overLogits, output, `in place, ${where}`);

  if (temperature === 1) {
    const lse = new Float32Array(count);
    logSumExp(machine, logits, lse, layout);
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
    const found = crossEntropy(
      machine,
      given,
      targets,
      shape,
      { ...options, axis },
      { loss, grad, logSumExp: lse },
    );
    expect(found).toEqual(exact.outOfRange);
    checkCrossEntropy(ledger, { loss, grad, lse }, exact, bounds, rows, where);
  }
  const loss = new Float32Array(options.reduction === 'none' ? count : 1);
  crossEntropy(machine, logits, targets, shape, { ...options, axis }, { loss });
  ledger.checkAll('loss alone', loss, exact.loss, bounds.loss, where);
}

interface Results {
  readonly logits: Float32Array;
  readonly grad: Float32Array | Float64Array;
}

function checkCrossEntropy(
  ledger: Ledger,
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

describe('exp in JavaScript', () => {
  const ledger = new Ledger('exp');
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

describe('exp in WebAssembly', () => {
  /** exp of each number, none of which is above 0. */
  const expsOf = (values: Float32Array): Float32Array => {
    const row = Float32Array.of(0, ...values);
    const exps = new Float32Array(row.length);
    simd.eachBlock(layoutOf('test', [row.length], -1), row, exps, (block) => block.measure(1, true));
    return exps.subarray(1);
  };

  test('is off by less than 1.4 roundings to float32 and one of the last places, down to -87.33', () => {
    const [from, to] = new Uint32Array(Float32Array.of(-(2 ** -30), -87.33).buffer) as unknown as [
      number,
      number,
    ];
    const worst: Worst = { error: 0, at: 0 };
    const worstPlaces: Worst = { error: 0, at: 0 };
    let compared = 0;
    for (let first = from; first <= to; first += 1000 * 499) {
      const bits = Uint32Array.from({ length: 1000 }, (_, k) => Math.min(to, first + 499 * k));
      const values = new Float32Array(bits.buffer);
      const exps = expsOf(values);
      for (const [k, value] of values.entries()) {
        const exact = Math.exp(value);
        const error = Math.abs((exps[k] as number) - exact);
        note(worst, error / exact, value);
        note(worstPlaces, error / 2 ** (Math.floor(Math.log2(exact)) - 23), value);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(600_000);
    expect(worst.error, `at ${worst.at}`).toBeLessThan(SIMD_EXP_ERROR);
    expect(worstPlaces.error, `at ${worstPlaces.at}`).toBeLessThan(1);
  });

  test('is 1 at 0, 0 from where it would be subnormal on, NaN of NaN', () => {
    const far = [-87.34, -88, -89, -100, -128, -200, -1e4, -3e38, Number.NEGATIVE_INFINITY];
    expect(Array.from(expsOf(Float32Array.of(0, -0, Number.NaN, ...far)))).toEqual([
      1,
      1,
      Number.NaN,
      ...far.map(() => 0),
    ]);
    const least = expsOf(Float32Array.of(-87.33))[0] as number;
    expect(least).toBeGreaterThan(2 ** -126);
  });
});

interface Worst {
  error: number;
  at: number;
}

function note(worst: Worst, error: number, at: number): void {
  if (!(error <= worst.error)) Object.assign(worst, { error, at });
}

describe.each(SUBJECTS)('$language against float64', (own) => {
  const { machine } = own;

  const OPTIONS: readonly Options[] = [
    {},
    { reduction: 'none', gradOutput: -2.5 },
    { reduction: 'sum', labelSmoothing: 0.1 },
    { reduction: 'none', labelSmoothing: 1, zLoss: 0.01 },
    { temperature: 0.5, zLoss: 0.001 },
    { temperature: 3, labelSmoothing: 0.2, reduction: 'none' },
    { ignoreIndex: 0, gradOutput: 1e-3 },
    { temperature: 1e-4, reduction: 'none' },
    // What float32 does not hold on the way to the result.
    { temperature: 2 ** 200, reduction: 'none' },
    { temperature: 2 ** -140, reduction: 'none' },
    { gradOutput: 2 ** 130, reduction: 'sum' },
  ];

  // Around the four elements that are taken at a time, and the eight that softmax looks at.
  test.each([...Array(20).keys(), 63, 256].map((k) => k + 1))('rows of %i classes of every kind', (classes) =>
    everyKind(classes, OPTIONS),
  );

  // A block of two rows, and more than the memory that there is at first.
  test.each([4095, 13_001])('long rows: %i classes', (classes) => everyKind(classes, OPTIONS.slice(1, 5)));

  function everyKind(classes: number, all: readonly Options[]): void {
    const count = classes > 1000 ? 10 : 20;
    for (const [k, options] of all.entries()) {
      const logits = hardLogits(count, classes, { seed: classes + k });
      const ignore = options.ignoreIndex ?? -100;
      const targets = hardTargets(logits, classes, { seed: k, ignore, finite: options.reduction !== 'none' });
      const layout = layoutOf('test', [count, classes], -1);
      const where = `[${count}, ${classes}] ${JSON.stringify(options)}`;
      compare(own, logits, targets, layout, options, where);
      compare(
        own,
        logits,
        targets,
        layout,
        { ...options, weight: hardWeights(classes, k).map(Math.abs) },
        `${where} weighted`,
      );
    }
  }

  test('rows at the end of the range, and those without a softmax', () => {
    for (const classes of [1, 3, 17, 70]) {
      const logits = hardLogits(30, classes, { seed: classes, extreme: true });
      const targets = hardTargets(logits, classes, { seed: 5 });
      const layout = layoutOf('test', [30, classes], -1);
      for (const temperature of [1, 4]) {
        const where = `extreme ${classes}, temperature ${temperature}`;
        compare(own, logits, targets, layout, { temperature, reduction: 'none' }, where);
      }
    }
  });

  test('the classes along another axis', () => {
    const layout = layoutOf('test', [3, 19, 5], 1);
    const logits = hardLogits(15, 19, { seed: 8 });
    const targets = Int32Array.from({ length: 15 }, (_, r) => r % 19);
    compare(own, logits, targets, layout, { reduction: 'none', labelSmoothing: 0.1 }, 'axis 1');
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
        compare(own, logits, targets, layout, { ...options, reduction: 'none' }, JSON.stringify(options));
      }),
      { numRuns: 1500, seed: 2 },
    );
  });

  test('arrays that begin anywhere', () => {
    for (const offset of [1, 2, 3]) {
      const logits = new Float32Array(61 + offset).subarray(offset, offset + 60);
      logits.set(hardLogits(20, 3, { seed: offset }));
      const layout = layoutOf('test', [20, 3], -1);
      const aligned = new Float32Array(60);
      softmax(machine, logits.slice(), aligned, layout, 1);
      const around = new Float32Array(70).fill(7);
      softmax(machine, logits, around.subarray(offset, offset + 60), layout, 1);
      expect(around.subarray(offset, offset + 60)).toEqual(aligned);
      expect(around.filter((value) => value === 7)).toHaveLength(10);
    }
  });

  test('a tiny loss keeps its digits, and so does its gradient', () => {
    const layout = layoutOf('test', [1, 3], -1);
    for (const gap of [5, 20, 40, 80]) {
      const logits = Float32Array.of(0, gap, -3);
      const exact = oracle.crossEntropy(logits, Int32Array.of(1), [1, 3], { grad: true });
      const [loss, grad] = [new Float32Array(1), new Float32Array(3)];
      crossEntropy(machine, logits, Int32Array.of(1), layout.shape, {}, { loss, grad });
      expect(Math.abs((loss[0] as number) / (exact.loss[0] as number) - 1)).toBeLessThan(2 * U);
      expect(Math.abs((grad[1] as number) / (exact.grad?.[1] as number) - 1)).toBeLessThan(3 * U);
    }
  });

  test('softmax finds a maximum out of reach of the first logits', () => {
    for (const first of [Number.NEGATIVE_INFINITY, -200, -3e38]) {
      const logits = new Float32Array(20).fill(first);
      logits.set([1, 2], 15);
      const out = new Float32Array(20);
      softmax(machine, logits, out, layoutOf('test', [20], -1), 1);
      expect(out[16]).toBeCloseTo(1 / (1 + Math.exp(-1)), 6);
      expect(out[0]).toBe(0);
    }
  });

  test('a target out of range is named, and its row is NaN', () => {
    const [loss, grad] = [new Float32Array(3), new Float32Array(6)];
    const found = crossEntropy(
      machine,
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
