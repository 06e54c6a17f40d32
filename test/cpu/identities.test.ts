// What must hold whatever PyTorch says: identities of the definitions, and the edges that the golden data cannot reach.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as cpu from '../../src/cpu.js';
import { InvalidArgumentError } from '../../src/errors.js';

/** Spiky rows: a flat one would hide most mistakes. */
const logit = fc.float({ min: -60, max: 60, noNaN: true, noDefaultInfinity: true });
const matrix = fc
  .record({ rows: fc.integer({ min: 1, max: 5 }), classes: fc.integer({ min: 1, max: 12 }) })
  .chain(({ rows, classes }) =>
    fc.record({
      shape: fc.constant([rows, classes] as const),
      logits: fc
        .array(logit, { minLength: rows * classes, maxLength: rows * classes })
        .map((x) => Float32Array.from(x)),
      targets: fc
        .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: rows, maxLength: rows })
        .map((x) => Int32Array.from(x)),
      probs: fc
        .array(fc.float({ min: 0, max: 1, noNaN: true }), {
          minLength: rows * classes,
          maxLength: rows * classes,
        })
        .map((x) => Float32Array.from(x)),
      weight: fc
        .array(fc.float({ min: Math.fround(0.1), max: 3, noNaN: true }), {
          minLength: classes,
          maxLength: classes,
        })
        .map((x) => Float32Array.from(x)),
      smoothing: fc.constantFrom(0, 0.1, 1),
      zLoss: fc.constantFrom(0, 0.01),
      temperature: fc.constantFrom(1, 0.5, 3),
      softcap: fc.constantFrom(undefined, 5, 30),
      reduction: fc.constantFrom('none' as const, 'mean' as const, 'sum' as const),
    }),
  );

function rowSums(values: Float64Array, [rows, classes]: readonly [number, number]): number[] {
  return Array.from({ length: rows }, (_, r) =>
    values.subarray(r * classes, (r + 1) * classes).reduce((sum, x) => sum + x, 0),
  );
}

describe('identities', () => {
  test('softmax sums to 1, and logSoftmax is its logarithm', () => {
    fc.assert(
      fc.property(matrix, ({ logits, shape, temperature }) => {
        const p = cpu.softmax(logits, shape, { temperature });
        const logP = cpu.logSoftmax(logits, shape, { temperature });
        for (const sum of rowSums(p, shape)) expect(sum).toBeCloseTo(1, 13);
        p.forEach((value, i) => {
          expect(Math.exp(logP[i] as number) / value).toBeCloseTo(1, 11);
        });
      }),
    );
  });

  test('a shift of all logits moves logSumExp by as much, and cross-entropy not at all', () => {
    fc.assert(
      fc.property(matrix, fc.integer({ min: -100, max: 100 }), ({ logits, targets, shape }, shift) => {
        const moved = Float64Array.from(logits, (x) => x + shift);
        const lse = cpu.logSumExp(logits, shape);
        cpu.logSumExp(moved, shape).forEach((value, r) => {
          expect(value - shift).toBeCloseTo(lse[r] as number, 11);
        });
        const before = cpu.crossEntropy(logits, targets, shape).loss[0] as number;
        expect(cpu.crossEntropy(moved, targets, shape).loss[0]).toBeCloseTo(before, 11);
      }),
    );
  });

  test('one-hot probabilities are class indices: loss and gradient', () => {
    fc.assert(
      fc.property(matrix, ({ logits, targets, shape, smoothing, zLoss, reduction }) => {
        const oneHot = new Float32Array(logits.length);
        targets.forEach((target, r) => {
          oneHot[r * shape[1] + target] = 1;
        });
        const options = { labelSmoothing: smoothing, zLoss, reduction, grad: true } as const;
        const byIndex = cpu.crossEntropy(logits, targets, shape, options);
        const byProbs = cpu.crossEntropy(logits, oneHot, shape, options);
        byIndex.loss.forEach((value, i) => {
          expect(byProbs.loss[i]).toBeCloseTo(value, 10);
        });
        byIndex.grad?.forEach((value, i) => {
          expect(byProbs.grad?.[i]).toBeCloseTo(value, 12);
        });
      }),
    );
  });

  test('the gradient of a row sums to 0 without z-loss and softcap', () => {
    fc.assert(
      fc.property(matrix, ({ logits, probs, targets, shape, smoothing, weight, temperature }) => {
        for (const target of [targets, probs]) {
          const options = {
            labelSmoothing: smoothing,
            weight,
            temperature,
            grad: true,
            reduction: 'none',
          } as const;
          const { grad } = cpu.crossEntropy(logits, target, shape, options);
          if (!grad) throw new Error('no gradient');
          for (const sum of rowSums(grad, shape)) expect(sum).toBeCloseTo(0, 12);
        }
      }),
    );
  });

  test('the gradient is the slope of the loss, with every option at once', () => {
    fc.assert(
      fc.property(matrix, fc.nat(), (input, pick) => {
        const { logits, probs, targets, shape, smoothing, weight, temperature, softcap, zLoss } = input;
        const options = {
          labelSmoothing: smoothing,
          weight,
          temperature,
          softcap,
          zLoss,
          reduction: 'mean',
        } as const;
        const at = pick % logits.length;
        const step = 1e-4;
        const lossAt = (target: Int32Array | Float32Array | Float64Array, x: number): number => {
          const moved = Float64Array.from(logits);
          moved[at] = (moved[at] as number) + x;
          return cpu.crossEntropy(moved, target, shape, options).loss[0] as number;
        };
        for (const target of [targets, probs]) {
          const { grad } = cpu.crossEntropy(logits, target, shape, { ...options, grad: true });
          const slope = (lossAt(target, step) - lossAt(target, -step)) / (2 * step);
          expect(grad?.[at]).toBeCloseTo(slope, 4);
        }
        const { gradTargets } = cpu.crossEntropy(logits, probs, shape, { ...options, grad: true });
        const bent = Float64Array.from(probs);
        bent[at] = (bent[at] as number) + 1;
        const base = cpu.crossEntropy(logits, probs, shape, options).loss[0] as number;
        // The loss is linear in the probabilities, so that a whole step is as good as a small one.
        expect(gradTargets?.[at]).toBeCloseTo(
          (cpu.crossEntropy(logits, bent, shape, options).loss[0] as number) - base,
          9,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('any axis is the last axis of the transposed array', () => {
    fc.assert(
      fc.property(matrix, ({ logits, targets, shape, weight }) => {
        const [rows, classes] = shape;
        const turned = logits.map((_, i) => logits[(i % rows) * classes + Math.floor(i / rows)] as number);
        const last = cpu.crossEntropy(logits, targets, shape, { weight, grad: true });
        const first = cpu.crossEntropy(turned, targets, [classes, rows], { axis: 0, weight, grad: true });
        expect(first.loss).toEqual(last.loss);
        expect(first.logSumExp).toEqual(last.logSumExp);
        const { grad } = last;
        expect(first.grad).toEqual(
          grad?.map((_, i) => grad[(i % rows) * classes + Math.floor(i / rows)] as number),
        );
      }),
    );
  });
});

describe('edges', () => {
  test('tiny losses and their gradients keep their digits', () => {
    // log(1 + e^-60) = 8.7565e-27: far below the float64 resolution of 1.
    const { loss, grad } = cpu.crossEntropy([60, 0], Int32Array.of(0), [1, 2], { grad: true });
    expect((loss[0] as number) / Math.exp(-60)).toBeCloseTo(1, 12);
    expect((grad?.[0] as number) / -Math.exp(-60)).toBeCloseTo(1, 12);
  });

  test('the slope of the softcap keeps its digits where the cap bites', () => {
    // sech(10)^2; in 1 - tanh(10)^2 half of them are gone.
    const { grad } = cpu.crossEntropy([300, -300], Int32Array.of(1), [1, 2], { softcap: 30, grad: true });
    expect((grad?.[0] as number) * Math.cosh(10) ** 2).toBeCloseTo(1, 12);
  });

  test('a target out of range is NaN and leaves its neighbours alone', () => {
    const logits = Float32Array.of(1, 2, 3, 4, 5, 6);
    for (const bad of [2, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      const result = cpu.crossEntropy(logits, Int32Array.of(0, bad, 1), [3, 2], {
        reduction: 'none',
        grad: true,
      });
      const right = cpu.crossEntropy(logits, Int32Array.of(0, 0, 1), [3, 2], {
        reduction: 'none',
        grad: true,
      });
      expect(result.outOfRange).toEqual({ row: 1, value: bad });
      expect(result.loss).toEqual(right.loss.with(1, Number.NaN));
      expect(result.grad).toEqual(right.grad?.with(2, Number.NaN).with(3, Number.NaN));
    }
    const two = cpu.crossEntropy(logits, Int32Array.of(0, 5, 6), [3, 2]);
    expect(two.outOfRange).toEqual({ row: 1, value: 5 });
    const unsigned = cpu.crossEntropy(logits, Uint32Array.of(0, 2 ** 32 - 100, 1), [3, 2]);
    expect(unsigned.outOfRange).toEqual({ row: 1, value: 2 ** 32 - 100 });
    expect(unsigned.loss).toEqual(Float64Array.of(Number.NaN));
  });

  test('an ignored row is 0 even under an upstream gradient that is not finite, and named nowhere', () => {
    const targets = Int32Array.of(-100, 7);
    const options = {
      reduction: 'none',
      grad: true,
      gradOutput: [Number.POSITIVE_INFINITY, 1],
      ignoreIndex: 7,
    } as const;
    const { loss, grad, outOfRange } = cpu.crossEntropy(
      [1, Number.NaN, 3, 4],
      targets.with(0, 7),
      [2, 2],
      options,
    );
    expect([...loss, ...(grad ?? [])]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(outOfRange).toBeUndefined();
  });

  test.each([
    [0, 0.5, 0.5 * Math.log1p(Math.E)],
    [1, 0.5, Number.POSITIVE_INFINITY],
    [-1, 0.5, Number.NEGATIVE_INFINITY],
    [Number.NaN, 0.5, Number.NaN],
  ])('probability %d at a logit of -Infinity', (q, other, loss) => {
    const logits = [Number.NEGATIVE_INFINITY, 0, 1];
    const result = cpu.crossEntropy(logits, Float64Array.of(q, other, 0), [1, 3], { reduction: 'sum' });
    if (Number.isFinite(loss)) expect(result.loss[0]).toBeCloseTo(loss, 13);
    else expect(result.loss[0]).toBe(loss);
  });

  test.each([
    ['a +Infinity', [Number.POSITIVE_INFINITY, 0], Number.POSITIVE_INFINITY, [Number.NaN, 0]],
    [
      'nothing but -Infinity',
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      Number.NEGATIVE_INFINITY,
      [Number.NaN, Number.NaN],
    ],
    ['a NaN beside -Infinity', [Number.NEGATIVE_INFINITY, Number.NaN], Number.NaN, [Number.NaN, Number.NaN]],
  ])('logSumExp and its gradient of %s', (_, logits, lse, grad) => {
    expect(cpu.logSumExp(logits, [1, 2])).toEqual(Float64Array.of(lse));
    expect(cpu.logSumExpGrad(logits, [lse], [2], [1, 2])).toEqual(Float64Array.from(grad));
  });

  test('a log-sum-exp of -Infinity gives no gradient, whatever the logits', () => {
    expect(cpu.logSumExpGrad([0], [Number.NEGATIVE_INFINITY], [1], [1])).toEqual(Float64Array.of(Number.NaN));
  });

  test('no rows: a mean is NaN, a sum 0, and everything else empty', () => {
    const none = new Int32Array(0);
    expect(cpu.crossEntropy([], none, [0, 3]).loss).toEqual(Float64Array.of(Number.NaN));
    expect(cpu.crossEntropy([], none, [0, 3], { reduction: 'sum' }).loss).toEqual(Float64Array.of(0));
    expect(cpu.crossEntropy([], none, [0, 3], { reduction: 'none', grad: true }).grad).toEqual(
      new Float64Array(0),
    );
    expect(cpu.softmax([], [0, 3])).toEqual(new Float64Array(0));
  });
});

describe('bad arguments', () => {
  const logits = [1, 2, 3, 4];
  const targets = Int32Array.of(0, 1);
  test.each<[string, () => unknown]>([
    ['logits holds 4', () => cpu.softmax(logits, [2, 3])],
    ['temperature', () => cpu.softmax(logits, [2, 2], { temperature: 0 })],
    ['temperature', () => cpu.logSoftmax(logits, [2, 2], { temperature: Number.NaN })],
    ['axis 2', () => cpu.logSoftmax(logits, [2, 2], { axis: 2 })],
    ['class axis', () => cpu.logSumExp([], [2, 0])],
    ['gradOutput holds 2', () => cpu.softmaxGrad(logits, [1, 2], [2, 2])],
    ['logProbs holds 2', () => cpu.logSoftmaxGrad([1, 2], logits, [2, 2])],
    ['lse holds 1', () => cpu.logSumExpGrad(logits, [1], [1, 2], [2, 2])],
    ['targets holds 1', () => cpu.crossEntropy(logits, Int32Array.of(0), [2, 2])],
    ['targets holds 2', () => cpu.crossEntropy(logits, Float32Array.of(0, 1), [2, 2])],
    ['targets must be', () => cpu.crossEntropy(logits, [0, 1] as unknown as Int32Array, [2, 2])],
    ['weight holds 3', () => cpu.crossEntropy(logits, targets, [2, 2], { weight: [1, 1, 1] })],
    ['ignoreIndex must', () => cpu.crossEntropy(logits, targets, [2, 2], { ignoreIndex: 0.5 })],
    ['ignoreIndex 1', () => cpu.crossEntropy(logits, Float32Array.from(logits), [2, 2], { ignoreIndex: 1 })],
    ['labelSmoothing', () => cpu.crossEntropy(logits, targets, [2, 2], { labelSmoothing: 1.5 })],
    ['labelSmoothing', () => cpu.crossEntropy(logits, targets, [2, 2], { labelSmoothing: Number.NaN })],
    ['reduction', () => cpu.crossEntropy(logits, targets, [2, 2], { reduction: 'avg' as 'mean' })],
    ['softcap', () => cpu.crossEntropy(logits, targets, [2, 2], { softcap: -1 })],
    ['zLoss', () => cpu.crossEntropy(logits, targets, [2, 2], { zLoss: Number.POSITIVE_INFINITY })],
    ["needs 'none'", () => cpu.crossEntropy(logits, targets, [2, 2], { gradOutput: [1, 1] })],
    [
      'gradOutput holds 3',
      () => cpu.crossEntropy(logits, targets, [2, 2], { reduction: 'none', gradOutput: [1, 1, 1] }),
    ],
  ])('%s', (message, call) => {
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(message);
  });
});
