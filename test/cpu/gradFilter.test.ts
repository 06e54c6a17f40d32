// gradFilter in float64: its definition, and the bounds that docs/losses.md gives for what it changes.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as cpu from '../../src/cpu.js';

const value = fc.double({ min: -4, max: 4, noNaN: true });
const several = (count: number) => fc.array(value, { minLength: count, maxLength: count });

/** A head with all options, spiky enough that any filter drops some entries and keeps others. */
const heads = fc
  .record({
    rows: fc.integer({ min: 1, max: 5 }),
    features: fc.integer({ min: 1, max: 4 }),
    classes: fc.integer({ min: 2, max: 12 }),
  })
  .chain(({ rows, features, classes }) =>
    fc.record({
      shape: fc.constant([rows, features, classes] as const),
      hidden: several(rows * features),
      weight: several(classes * features),
      bias: several(classes),
      targets: fc
        .array(fc.integer({ min: -1, max: classes - 1 }), { minLength: rows, maxLength: rows })
        .map((targets) => Int32Array.from(targets)),
      classWeight: fc.option(
        several(classes).map((weights) => weights.map((w) => Math.abs(w) + 0.1)),
        { nil: undefined },
      ),
      labelSmoothing: fc.constantFrom(0, 0.1),
      temperature: fc.constantFrom(1, 2.5),
      softcap: fc.constantFrom(undefined, 6),
      zLoss: fc.constantFrom(0, 0.02),
      reduction: fc.constantFrom('mean' as const, 'sum' as const),
      gradOutput: fc.constantFrom(1, -3),
      gradFilter: fc.constantFrom(2 ** -12, 0.01, 0.2),
    }),
  );

type Head = typeof heads extends fc.Arbitrary<infer T> ? T : never;

const IGNORED = -1;

function optionsOf({ shape: _, hidden: __, weight: ___, targets: ____, ...options }: Head) {
  return { ...options, ignoreIndex: IGNORED, grad: true };
}

/** The gradient of the logits without a filter, and the factor of p in each row, as docs/losses.md writes them. */
function gradientOf(head: Head) {
  const { shape, hidden, weight, bias, targets, classWeight, labelSmoothing, temperature, zLoss } = head;
  const [rows, features, classes] = shape;
  const logits = Float64Array.from({ length: rows * classes }, (_, i) => {
    const [n, c] = [Math.floor(i / classes), i % classes];
    const dot = hidden
      .slice(n * features, (n + 1) * features)
      .reduce((sum, h, d) => sum + h * (weight[c * features + d] as number), 0);
    return dot + (bias[c] as number);
  });
  const { grad, logSumExp } = cpu.crossEntropy(logits, targets, [rows, classes], {
    ...optionsOf(head),
    weight: classWeight,
  });
  const w = (c: number): number => classWeight?.[c] ?? 1;
  const kept = [...targets].filter((t) => t !== IGNORED);
  const [divisor, zDivisor] =
    head.reduction === 'mean' ? [kept.reduce((sum, t) => sum + w(t), 0), kept.length] : [1, 1];
  const factors = Array.from(targets, (t, n) => {
    if (t === IGNORED) return 0;
    let mass = 0;
    for (let c = 0; c < classes; c++) {
      mass += w(c) * ((1 - labelSmoothing) * Number(c === t) + labelSmoothing / classes);
    }
    const pull = mass / divisor + (2 * zLoss * (logSumExp[n] as number)) / zDivisor;
    return (head.gradOutput * pull) / temperature;
  });
  return { grad: grad as Float64Array, factors };
}

function run(head: Head, gradFilter: number) {
  const { hidden, weight, targets, shape } = head;
  return cpu.linearCrossEntropy(hidden, weight, targets, shape, { ...optionsOf(head), gradFilter });
}

test('without smoothing, z-loss and soft cap, classes count from a probability on', () => {
  // p = 0.9, 0.09, 0.01.
  const [hidden, weight] = [[1], [Math.log(90), Math.log(9), 0]];
  const of = (gradFilter: number) =>
    cpu.linearCrossEntropy(hidden, weight, Int32Array.of(1), [1, 1, 3], {
      bias: [0, 0, 0],
      grad: true,
      gradFilter,
    }).gradBias as Float64Array;
  for (const [filter, expected] of [
    [0, [0.9, -0.91, 0.01]],
    [0.009, [0.9, -0.91, 0.01]],
    [0.011, [0.9, -0.91, 0]],
    [0.905, [0, -0.91, 0]],
    [0.92, [0, 0, 0]],
  ] as const) {
    expected.forEach((g, c) => {
      expect(of(filter)[c]).toBeCloseTo(g, 12);
    });
    expect(of(filter).filter((g) => g === 0)).toHaveLength(expected.filter((g) => g === 0).length);
  }
});

test('what is dropped is what the definition says, and all else is kept', () => {
  let [dropped, kept] = [0, 0];
  fc.assert(
    fc.property(heads, (head) => {
      const { shape, hidden, weight, gradFilter } = head;
      const [rows, features, classes] = shape;
      const { grad, factors } = gradientOf(head);
      // What lies at the threshold, but for rounding, may be either.
      fc.pre(
        grad.every((g, i) => {
          const least = gradFilter * Math.abs(factors[Math.floor(i / classes)] as number);
          return g === 0 || Math.abs(Math.abs(g) - least) > 1e-9 * least;
        }),
      );
      const left = grad.map((g, i) => {
        const drops = Math.abs(g) <= gradFilter * Math.abs(factors[Math.floor(i / classes)] as number);
        if (g !== 0 && drops) dropped++;
        if (!drops) kept++;
        return drops ? 0 : g;
      });
      const { loss, gradHidden, gradWeight, gradBias } = run(head, gradFilter);
      expect(loss).toEqual(run(head, 0).loss);
      const size = 1e-10 * (1 + Math.max(...grad.map(Math.abs)));
      for (let n = 0; n < rows; n++) {
        for (let d = 0; d < features; d++) {
          let sum = 0;
          for (let c = 0; c < classes; c++) {
            sum += (left[n * classes + c] as number) * (weight[c * features + d] as number);
          }
          expect(Math.abs((gradHidden?.[n * features + d] as number) - sum)).toBeLessThanOrEqual(size);
        }
      }
      for (let c = 0; c < classes; c++) {
        const column = Array.from({ length: rows }, (_, n) => left[n * classes + c] as number);
        const sum = column.reduce((total, g) => total + g, 0);
        expect(Math.abs((gradBias?.[c] as number) - sum)).toBeLessThanOrEqual(size);
        if (column.every((g) => g === 0)) expect(Math.abs(gradBias?.[c] as number)).toBe(0);
        for (let d = 0; d < features; d++) {
          const total = column.reduce((t, g, n) => t + g * (hidden[n * features + d] as number), 0);
          expect(Math.abs((gradWeight?.[c * features + d] as number) - total)).toBeLessThanOrEqual(size);
        }
      }
    }),
    { seed: 1, numRuns: 300 },
  );
  expect(dropped).toBeGreaterThan(500);
  expect(kept).toBeGreaterThan(500);
});

test('it changes no more than its bounds', () => {
  let closest = 0;
  fc.assert(
    fc.property(heads, (head) => {
      const { shape, hidden, weight, gradFilter } = head;
      const [rows, features, classes] = shape;
      const { grad, factors } = gradientOf(head);
      const least = (n: number): number => gradFilter * Math.abs(factors[n] as number);
      const drops = (n: number, c: number): boolean =>
        Math.abs(grad[n * classes + c] as number) <= (1 + 1e-9) * least(n);
      const [without, filtered] = [run(head, 0), run(head, gradFilter)];
      const compare = (name: 'gradHidden' | 'gradWeight' | 'gradBias', at: number, bound: number): void => {
        const change = Math.abs((filtered[name]?.[at] as number) - (without[name]?.[at] as number));
        expect(change).toBeLessThanOrEqual(bound * (1 + 1e-9) + 1e-12);
        if (bound > 1e-6) closest = Math.max(closest, change / bound);
      };
      for (let n = 0; n < rows; n++) {
        for (let d = 0; d < features; d++) {
          let size = 0;
          for (let c = 0; c < classes; c++) {
            if (drops(n, c)) size += Math.abs(weight[c * features + d] as number);
          }
          compare('gradHidden', n * features + d, least(n) * size);
        }
      }
      for (let c = 0; c < classes; c++) {
        const sum = (x: (n: number) => number): number => {
          let total = 0;
          for (let n = 0; n < rows; n++) if (drops(n, c)) total += least(n) * Math.abs(x(n));
          return total;
        };
        compare(
          'gradBias',
          c,
          sum(() => 1),
        );
        for (let d = 0; d < features; d++) {
          compare(
            'gradWeight',
            c * features + d,
            sum((n) => hidden[n * features + d] as number),
          );
        }
      }
    }),
    { seed: 2, numRuns: 300 },
  );
  // Some results come near their bounds: it is not the whole gradient that they allow for.
  expect(closest).toBeGreaterThan(0.8);
});

test('NaN and infinities are not dropped', () => {
  const head = [Float64Array.of(1, 2), Float64Array.of(0, 1, -1), Int32Array.of(0, 1), [2, 1, 3]] as const;
  const options = { bias: [0, 0, 0], grad: true, gradFilter: 0.5, reduction: 'none' } as const;
  const { gradBias } = cpu.linearCrossEntropy(...head, {
    ...options,
    gradOutput: [Number.POSITIVE_INFINITY, 1],
  });
  // Of the first row: NaN at the target, and an infinite share of the others.
  expect([...(gradBias as Float64Array)]).toEqual([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  ]);
  const nan = cpu.linearCrossEntropy(...head, { ...options, gradOutput: Number.NaN });
  expect([...(nan.gradHidden as Float64Array)]).toEqual([Number.NaN, Number.NaN]);
});
