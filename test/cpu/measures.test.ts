// Entropy, divergence and the other losses beyond cross-entropy: the identities that tie them to each other, and the edges
// that the golden data cannot reach.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as cpu from '../../src/cpu.js';
import { InvalidArgumentError } from '../../src/errors.js';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Spiky rows: a flat one would hide most mistakes. */
const logit = fc.float({ min: -40, max: 40, noNaN: true, noDefaultInfinity: true });
const probability = fc.float({ min: Math.fround(0.01), max: 1, noNaN: true });

function floats(values: fc.Arbitrary<number>, length: number): fc.Arbitrary<Float32Array> {
  return fc.array(values, { minLength: length, maxLength: length }).map((x) => Float32Array.from(x));
}

const pair = fc
  .record({ rows: fc.integer({ min: 1, max: 4 }), classes: fc.integer({ min: 1, max: 9 }) })
  .chain(({ rows, classes }) =>
    fc.record({
      shape: fc.constant([rows, classes] as const),
      logits: floats(logit, rows * classes),
      teacher: floats(logit, rows * classes),
      probs: floats(probability, rows * classes),
      weight: floats(probability, rows * classes),
      classWeight: floats(probability, classes),
      upstream: floats(fc.float({ min: -2, max: 2, noNaN: true }), rows),
      targets: fc
        .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: rows, maxLength: rows })
        .map((x) => Int32Array.from(x)),
      temperature: fc.constantFrom(1, 0.5, 3),
      squared: fc.boolean(),
      reduction: fc.constantFrom('none' as const, 'mean' as const, 'sum' as const),
    }),
  );

/** Equal to `digits` digits of the largest expected value, or of 1. */
function expectClose(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>, digits = 11): void {
  expect(actual?.length).toBe(expected.length);
  const size = Array.from(expected).reduce((max, x) => Math.max(max, Math.abs(x)), 1);
  for (let i = 0; i < expected.length; i++) {
    expect((actual?.[i] as number) / size).toBeCloseTo((expected[i] as number) / size, digits);
  }
}

function rowsOf<T extends Float64Array | Float32Array>(values: T, [rows, classes]: readonly number[]): T[] {
  return Array.from({ length: rows as number }, (_, r) => {
    return values.subarray(r * (classes as number), (r + 1) * (classes as number)) as T;
  });
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, x) => total + x, 0);
}

/** `values` of `[rows, classes]` as `[classes, rows]`. */
function transposed<T extends Float64Array | Float32Array>(values: T, [rows, classes]: readonly number[]): T {
  return values.map(
    (_, i) =>
      values[(i % (rows as number)) * (classes as number) + Math.floor(i / (rows as number))] as number,
  ) as T;
}

describe('identities', () => {
  test('H(q, p) = H(q) + D(q || p), whatever kind the target is of', () => {
    fc.assert(
      fc.property(pair, ({ logits, teacher, shape, temperature }) => {
        const q = cpu.softmax(teacher, shape, { temperature });
        const logQ = cpu.logSoftmax(teacher, shape, { temperature });
        const none = { reduction: 'none', temperature } as const;
        const cross = cpu.crossEntropy(logits, q, shape, none).loss;
        const tempered = Float64Array.from(teacher, (x) => x / temperature);
        const own = cpu.entropy(tempered, shape, { reduction: 'none' }).entropy;
        const expected = cross.map((value, r) => value - (own[r] as number));
        expectClose(
          cpu.klDivergence(logits, teacher, shape, { ...none, target: 'logits' }).divergence,
          expected,
        );
        expectClose(cpu.klDivergence(logits, q, shape, { ...none, target: 'probs' }).divergence, expected);
        expectClose(
          cpu.klDivergence(logits, logQ, shape, { ...none, target: 'logProbs' }).divergence,
          expected,
        );
      }),
    );
  });

  test('D >= 0, and 0 only for equal distributions', () => {
    fc.assert(
      fc.property(pair, fc.integer({ min: -64, max: 64 }), (input, shift) => {
        const { logits, teacher, shape, temperature } = input;
        const options = { target: 'logits', reduction: 'none', temperature } as const;
        for (const value of cpu.klDivergence(logits, teacher, shape, options).divergence) {
          expect(value).toBeGreaterThanOrEqual(0);
        }
        // The same distribution, by logits that are all moved; multiples of 1/8 stay exact.
        const coarse = Float64Array.from(logits, (x) => Math.round(x * 8) / 8);
        const moved = coarse.map((x) => x + shift / 8);
        expect(cpu.klDivergence(moved, coarse, shape, { ...options, temperature: 1 }).divergence).toEqual(
          new Float64Array(shape[0]),
        );
        // Another one, by the least that a float32 logit can move.
        const [row] = rowsOf(logits, shape) as [Float32Array];
        const at = row.indexOf(Math.max(...row));
        fc.pre(shape[1] > 1 && (row[at] as number) > Math.max(...row.filter((_, c) => c !== at)) - 8);
        const bent = Float32Array.from(row);
        bent[at] = (row[at] as number) + Math.max(Math.abs(row[at] as number), 2 ** -20) * 2 ** -23;
        const [value] = cpu.klDivergence(row, bent, [shape[1]], { ...options, temperature: 1 }).divergence;
        expect(value).toBeGreaterThan(0);
      }),
    );
  });

  test('the gradient with respect to the target is the same through softmax, whatever kind the target is of', () => {
    fc.assert(
      fc.property(pair, ({ logits, teacher, shape, upstream, squared }) => {
        const q = cpu.softmax(teacher, shape);
        const logQ = cpu.logSoftmax(teacher, shape);
        const options = {
          reduction: 'none',
          gradOutput: upstream,
          grad: true,
          scaleByTemperatureSquared: squared,
        } as const;
        const ofLogits = cpu.klDivergence(logits, teacher, shape, { ...options, target: 'logits' });
        const ofProbs = cpu.klDivergence(logits, q, shape, { ...options, target: 'probs' });
        const ofLogs = cpu.klDivergence(logits, logQ, shape, { ...options, target: 'logProbs' });
        const expected = ofLogits.gradTarget as Float64Array;
        expectClose(cpu.softmaxGrad(q, ofProbs.gradTarget as Float64Array, shape), expected);
        expectClose(cpu.logSoftmaxGrad(logQ, ofLogs.gradTarget as Float64Array, shape), expected);
        expectClose(ofProbs.grad, ofLogits.grad as Float64Array);
        expectClose(ofLogs.grad, ofLogits.grad as Float64Array);
      }),
    );
  });

  test('gradients of a divergence are its slopes, on both sides', () => {
    fc.assert(
      fc.property(pair, fc.nat(), fc.constantFrom('logits', 'probs', 'logProbs'), (input, pick, target) => {
        const { logits, teacher, probs, shape, temperature, squared } = input;
        const options = {
          target,
          temperature,
          scaleByTemperatureSquared: squared,
          reduction: 'mean',
          gradOutput: -1.5,
        } as const;
        const given = target === 'logits' ? teacher : target === 'probs' ? probs : probs.map(Math.log);
        const at = pick % logits.length;
        const result = cpu.klDivergence(logits, given, shape, { ...options, grad: true });
        const valueAt = (x: number, y: number): number => {
          const movedLogits = Float64Array.from(logits);
          const movedTarget = Float64Array.from(given);
          movedLogits[at] = (movedLogits[at] as number) + x;
          movedTarget[at] = (movedTarget[at] as number) + y;
          return cpu.klDivergence(movedLogits, movedTarget, shape, options).divergence[0] as number;
        };
        const step = 1e-4;
        const byLogit = (valueAt(step, 0) - valueAt(-step, 0)) / (2 * step);
        const byTarget = (valueAt(0, step) - valueAt(0, -step)) / (2 * step);
        expect(result.grad?.[at]).toBeCloseTo(-1.5 * byLogit, 4);
        expect((result.gradTarget?.[at] as number) / 100).toBeCloseTo((-1.5 * byTarget) / 100, 4);
      }),
      { numRuns: 300 },
    );
  });

  test('entropy is between 0 and log C, and is -sum p log p', () => {
    fc.assert(
      fc.property(pair, ({ logits, shape }) => {
        const p = rowsOf(cpu.softmax(logits, shape), shape);
        cpu.entropy(logits, shape, { reduction: 'none' }).entropy.forEach((value, r) => {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(Math.log(shape[1]) + 1e-14);
          expect(value).toBeCloseTo(
            -sum((p[r] as Float64Array).map((x) => (x === 0 ? 0 : x * Math.log(x)))),
            12,
          );
        });
        const flat = new Float32Array(logits.length).fill(logits[0] as number);
        for (const value of cpu.entropy(flat, shape, { reduction: 'none' }).entropy) {
          expect(value).toBeCloseTo(Math.log(shape[1]), 13);
        }
      }),
    );
  });

  test('the gradient of the entropy is its slope, and sums to 0', () => {
    fc.assert(
      fc.property(pair, fc.nat(), ({ logits, shape, upstream }, pick) => {
        const { grad } = cpu.entropy(logits, shape, { grad: true, gradOutput: 2 });
        const at = pick % logits.length;
        const valueAt = (x: number): number => {
          const moved = Float64Array.from(logits);
          moved[at] = (moved[at] as number) + x;
          return cpu.entropy(moved, shape).entropy[0] as number;
        };
        expect(grad?.[at]).toBeCloseTo((2 * (valueAt(1e-4) - valueAt(-1e-4))) / 2e-4, 6);
        for (const row of rowsOf(grad as Float64Array, shape)) expect(sum(row)).toBeCloseTo(0, 12);
        const byRow = cpu.entropy(logits, shape, {
          grad: true,
          reduction: 'none',
          gradOutput: upstream,
        }).grad;
        expectClose(
          byRow,
          (grad as Float64Array).map(
            (g, i) => ((g * shape[0]) / 2) * (upstream[Math.floor(i / shape[1])] as number),
          ),
        );
      }),
    );
  });

  test('nllLoss of log-probabilities is cross-entropy, and so is its gradient through logSoftmax', () => {
    fc.assert(
      fc.property(pair, ({ logits, targets, shape, classWeight, reduction }) => {
        const withIgnored = targets.with(0, 7);
        const options = { weight: classWeight, reduction, grad: true, ignoreIndex: 7, gradOutput: 0.75 };
        for (const target of [targets, shape[1] > 7 ? targets : withIgnored]) {
          const logP = cpu.logSoftmax(logits, shape);
          const { loss, grad } = cpu.nllLoss(logP, target, shape, options);
          const expected = cpu.crossEntropy(logits, target, shape, options);
          if (expected.loss.some(Number.isNaN)) expect(loss).toEqual(expected.loss);
          else expectClose(loss, expected.loss);
          expectClose(cpu.logSoftmaxGrad(logP, grad as Float64Array, shape), expected.grad as Float64Array);
        }
      }),
    );
  });

  test('binary cross-entropy is cross-entropy over the classes [1, 0] with the logits [x, 0]', () => {
    fc.assert(
      fc.property(pair, ({ logits, probs, weight, classWeight, shape, reduction }) => {
        const [, classes] = shape;
        const options = { weight, posWeight: classWeight, reduction, grad: true, gradOutput: -0.5 } as const;
        const { loss, grad, gradTargets } = cpu.binaryCrossEntropy(logits, probs, shape, options);
        const count = logits.length;
        const expectedLoss = new Float64Array(count);
        const expectedGrad = new Float64Array(count);
        const expectedTargets = new Float64Array(count);
        logits.forEach((x, i) => {
          const t = probs[i] as number;
          const a = classWeight[i % classes] as number;
          const w = weight[i] as number;
          const two = cpu.crossEntropy([x, 0], Float64Array.of(a * t, 1 - t), [1, 2], {
            reduction: 'none',
            grad: true,
            gradOutput: [w],
          });
          expectedLoss[i] = w * (two.loss[0] as number);
          const scale = -0.5 / (reduction === 'mean' ? count : 1);
          expectedGrad[i] = scale * (two.grad?.[0] as number);
          const [on, off] = two.gradTargets as unknown as [number, number];
          expectedTargets[i] = scale * (a * on - off);
        });
        const total = sum(expectedLoss);
        expectClose(
          loss,
          reduction === 'none' ? expectedLoss : [reduction === 'mean' ? total / count : total],
        );
        expectClose(grad, expectedGrad);
        expectClose(gradTargets, expectedTargets);
        const plain = cpu.binaryCrossEntropy(logits, probs, shape, { ...options, posWeight: undefined });
        const ones = cpu.binaryCrossEntropy(logits, probs, shape, {
          ...options,
          posWeight: new Float32Array(classes).fill(1),
        });
        expect(plain.loss).toEqual(ones.loss);
        expect(plain.grad).toEqual(ones.grad);
        expectClose(plain.gradTargets, ones.gradTargets as Float64Array);
      }),
    );
  });

  test('logitStats is logSumExp, entropy, logSoftmax and a stable sort', () => {
    fc.assert(
      fc.property(pair, fc.nat(), ({ logits, targets, shape }, pick) => {
        const [rows, classes] = shape;
        // Few values, so that some are equal.
        const coarse = logits.map((x) => Math.round(x / 16));
        const topK = (pick % classes) + 1;
        const stats = cpu.logitStats(coarse, targets, shape, { topK });
        expect(stats.logSumExp).toEqual(cpu.logSumExp(coarse, shape));
        expect(stats.entropy).toEqual(cpu.entropy(coarse, shape, { reduction: 'none' }).entropy);
        const logP = cpu.logSoftmax(coarse, shape);
        rowsOf(coarse, shape).forEach((row, r) => {
          const order = [...row.keys()].sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
          const target = targets[r] as number;
          expect(stats.argmax[r]).toBe(order[0]);
          expect(stats.targetRank?.[r]).toBe(order.indexOf(target));
          expect(stats.targetLogProb?.[r]).toBe(logP[r * classes + target]);
          const from = r * topK;
          expect([...(stats.topK?.indices.subarray(from, from + topK) ?? [])]).toEqual(order.slice(0, topK));
          expect([...(stats.topK?.values.subarray(from, from + topK) ?? [])].map((x) => x + 0)).toEqual(
            order.slice(0, topK).map((c) => (row[c] as number) + 0),
          );
        });
        expect(stats.topK?.values).toHaveLength(rows * topK);
      }),
    );
  });

  test('any axis is the last axis of the transposed array', () => {
    fc.assert(
      fc.property(pair, ({ logits, teacher, targets, shape, classWeight }) => {
        const turned = [shape[1], shape[0]];
        const x = transposed(logits, shape);
        const y = transposed(teacher, shape);
        const options = { grad: true, reduction: 'none' } as const;
        const first = { ...options, axis: 0 };
        const turn = (values: Float64Array | undefined) => values && transposed(values, shape);

        const h = cpu.entropy(logits, shape, options);
        expect(cpu.entropy(x, turned, first)).toEqual({ entropy: h.entropy, grad: turn(h.grad) });
        const d = cpu.klDivergence(logits, teacher, shape, { ...options, target: 'logits' });
        expect(cpu.klDivergence(x, y, turned, { ...first, target: 'logits' })).toEqual({
          divergence: d.divergence,
          grad: turn(d.grad),
          gradTarget: turn(d.gradTarget),
        });
        const n = cpu.nllLoss(logits, targets, shape, { ...options, weight: classWeight });
        expect(cpu.nllLoss(x, targets, turned, { ...first, weight: classWeight })).toEqual({
          loss: n.loss,
          grad: turn(n.grad),
        });
        expect(cpu.logitStats(x, targets, turned, { axis: 0, topK: 1 })).toEqual(
          cpu.logitStats(logits, targets, shape, { topK: 1 }),
        );
      }),
    );
  });

  test('the mean cross-entropy is least where the softmax is the empirical distribution', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 40 }),
        floats(logit, 4),
        (drawn, other) => {
          // Each class at least once: a frequency of 0 has no finite logit.
          const targets = Int32Array.from([0, 1, 2, 3, ...drawn]);
          const frequencies = [0, 1, 2, 3].map((c) => targets.filter((t) => t === c).length / targets.length);
          const repeat = (row: ArrayLike<number>): Float64Array =>
            Float64Array.from({ length: targets.length * 4 }, (_, i) => row[i % 4] as number);
          const shape = [targets.length, 4];
          const best = cpu.crossEntropy(repeat(frequencies.map(Math.log)), targets, shape, { grad: true });
          const slopes = [0, 1, 2, 3].map((c) =>
            sum((best.grad as Float64Array).filter((_, i) => i % 4 === c)),
          );
          for (const slope of slopes) expect(slope).toBeCloseTo(0, 13);
          // The excess of any other is the divergence from the frequencies.
          const worse = cpu.crossEntropy(repeat(other), targets, shape).loss[0] as number;
          const { divergence } = cpu.klDivergence(other, frequencies, [4], { target: 'probs' });
          expect(worse - (best.loss[0] as number)).toBeCloseTo(divergence[0] as number, 10);
          expect(best.loss[0]).toBeCloseTo(
            cpu.entropy(frequencies.map(Math.log), [4]).entropy[0] as number,
            12,
          );
        },
      ),
    );
  });

  test('a product of likelihoods underflows where the sum of their logarithms does not', () => {
    const rows = 2000;
    const logits = Float64Array.from({ length: rows * 3 }, (_, i) => Math.sin(i));
    const targets = Int32Array.from({ length: rows }, (_, r) => r % 3);
    const p = cpu.softmax(logits, [rows, 3]);
    expect(targets.reduce((product, t, r) => product * (p[r * 3 + t] as number), 1)).toBe(0);
    const total = cpu.nllLoss(cpu.logSoftmax(logits, [rows, 3]), targets, [rows, 3], { reduction: 'sum' });
    const expected = -sum(Array.from(targets, (t, r) => Math.log(p[r * 3 + t] as number)));
    expect((total.loss[0] as number) / expected).toBeCloseTo(1, 12);
  });
});

describe('small values keep their digits', () => {
  test('entropy of [60, 0] and its gradient', () => {
    // p = e^-60: H = p (1 + 60), dH/dx = p 60 up to p^2.
    const { entropy, grad } = cpu.entropy([60, 0], [2], { grad: true });
    expect((entropy[0] as number) / (61 * Math.exp(-60))).toBeCloseTo(1, 12);
    expect((grad?.[0] as number) / (-60 * Math.exp(-60))).toBeCloseTo(1, 12);
    expect((grad?.[1] as number) / (60 * Math.exp(-60))).toBeCloseTo(1, 12);
  });

  test('binary cross-entropy of a confident and right logit, on both sides', () => {
    for (const [x, t] of [
      [60, 1],
      [-60, 0],
    ] as const) {
      const { loss, grad } = cpu.binaryCrossEntropy([x], [t], [1], { grad: true });
      expect((loss[0] as number) / Math.exp(-60)).toBeCloseTo(1, 12);
      expect(((grad?.[0] as number) / Math.exp(-60)) * (t === 1 ? -1 : 1)).toBeCloseTo(1, 12);
    }
  });

  test('divergence and gradient of two rows that differ by 1e-9', () => {
    // Second order: D = p (1 - p) d^2 / 2 with p = 1/2, gradient p (1 - p) d.
    const { divergence, grad } = cpu.klDivergence([0, 0], [1e-9, 0], [2], { target: 'logits', grad: true });
    expect((divergence[0] as number) / (1e-18 / 8)).toBeCloseTo(1, 6);
    expect((grad?.[0] as number) / -0.25e-9).toBeCloseTo(1, 6);
  });

  test('divergence and gradient of two confident rows', () => {
    const { divergence, grad } = cpu.klDivergence([60, 0], [61, 0], [2], { target: 'logits', grad: true });
    // Where p and q of the other class are tiny: q log(q / p) - q + p.
    expect((divergence[0] as number) / (Math.exp(-60) - 2 * Math.exp(-61))).toBeCloseTo(1, 10);
    expect((grad?.[0] as number) / (Math.exp(-61) - Math.exp(-60))).toBeCloseTo(1, 10);
  });
});

describe('edges of nllLoss', () => {
  const logP = [-1, nan, -3, -inf, -5, -6];

  test('only the target counts', () => {
    const { loss, grad } = cpu.nllLoss(logP, Int32Array.of(0, 1), [2, 3], { reduction: 'none', grad: true });
    expect(loss).toEqual(Float64Array.of(1, 5));
    expect(grad).toEqual(Float64Array.of(-1, 0, 0, 0, -1, 0));
  });

  test('a target at -Infinity is Infinity, under a weight of 0 NaN, and under an infinite gradient alone infinite', () => {
    const targets = Int32Array.of(0, 0);
    const options = { reduction: 'none', grad: true, gradOutput: [1, inf] } as const;
    const { loss, grad } = cpu.nllLoss(logP, targets, [2, 3], options);
    expect(loss).toEqual(Float64Array.of(1, inf));
    expect(grad).toEqual(Float64Array.of(-1, 0, 0, -inf, 0, 0));
    const weighted = cpu.nllLoss(logP, targets, [2, 3], { reduction: 'none', weight: [0, 1, 1] });
    expect(weighted.loss).toEqual(Float64Array.of(0, nan));
  });

  test('a target out of range is NaN and leaves its neighbours alone', () => {
    for (const bad of [3, -1]) {
      const targets = Int32Array.of(0, bad, 2);
      const values = [-1, -2, -3, -4, -5, -6, -7, -8, -9];
      const byRow = cpu.nllLoss(values, targets, [3, 3], { reduction: 'none', grad: true });
      expect(byRow.outOfRange).toEqual({ row: 1, value: bad });
      expect(byRow.loss).toEqual(Float64Array.of(1, nan, 9));
      expect(byRow.grad).toEqual(Float64Array.of(-1, 0, 0, nan, nan, nan, 0, 0, -1));
      const mean = cpu.nllLoss(values, targets, [3, 3], { grad: true });
      expect(mean.loss).toEqual(Float64Array.of(nan));
      expect(mean.grad).toEqual(Float64Array.of(-0.5, 0, 0, nan, nan, nan, 0, 0, -0.5));
    }
    const unsigned = cpu.nllLoss([-1, -2], Uint32Array.of(2 ** 32 - 100), [1, 2]);
    expect(unsigned.outOfRange).toEqual({ row: 0, value: 2 ** 32 - 100 });
    // The first of two, on an axis that is not the last.
    const strided = cpu.nllLoss([-1, -2, -3, -4, -5, -6], Int32Array.of(0, 9, 8), [2, 3], {
      axis: 0,
      reduction: 'none',
      grad: true,
    });
    expect(strided.outOfRange).toEqual({ row: 1, value: 9 });
    expect(strided.grad).toEqual(Float64Array.of(-1, nan, nan, 0, nan, nan));
  });

  test('nothing kept: a mean is NaN, a sum 0, the gradient 0', () => {
    const targets = Int32Array.of(-100, -100);
    const mean = cpu.nllLoss(logP, targets, [2, 3], { grad: true, gradOutput: inf });
    expect(mean).toEqual({ loss: Float64Array.of(nan), grad: new Float64Array(6) });
    expect(cpu.nllLoss(logP, targets, [2, 3], { reduction: 'sum' }).loss).toEqual(Float64Array.of(0));
  });
});

describe('edges of klDivergence', () => {
  const log0 = -inf;

  test.each([
    ['probs', [0.5, 0.5, 0], [0, 1, log0]],
    ['logProbs', [Math.log(0.5), Math.log(0.5), log0], [0, 1, log0]],
    ['logits', [2, 2, log0], [0, 1, log0]],
  ] as const)('a probability of 0 at a logit of -Infinity contributes 0: %s', (target, given, logits) => {
    const masked = cpu.klDivergence(logits, given, [3], { target, grad: true });
    const without = cpu.klDivergence(logits.slice(0, 2), given.slice(0, 2), [2], { target, grad: true });
    expect(masked.divergence).toEqual(without.divergence);
    expect(masked.grad).toEqual(Float64Array.of(...(without.grad ?? []), 0));
    const atZero = target === 'probs' ? nan : 0;
    expect(masked.gradTarget).toEqual(Float64Array.of(...(without.gradTarget ?? []), atZero));
  });

  test.each([
    ['probs', [0.5, 0, 0.5]],
    ['logProbs', [Math.log(0.5), log0, Math.log(0.5)]],
    ['logits', [2, log0, 2]],
  ] as const)('a probability of 0 at a finite logit contributes 0: %s', (target, given) => {
    const { divergence, grad, gradTarget } = cpu.klDivergence([0, 1, 0], given, [3], { target, grad: true });
    // sum q (log q - log p), p of the two being 1 / (2 + e).
    expect(divergence[0]).toBeCloseTo(Math.log(0.5) + Math.log(2 + Math.E), 14);
    expect(grad?.[1]).toBeCloseTo(Math.E / (2 + Math.E), 14);
    expect(gradTarget?.[1]).toBe(target === 'probs' ? nan : 0);
  });

  test.each([
    ['probs', [0.5, 0.5, 0.5], inf],
    ['logProbs', [-1, -1, -1], inf],
    ['logits', [2, 2, 2], nan],
  ] as const)('a positive probability at a logit of -Infinity is Infinity: %s', (target, given, atMask) => {
    const logits = [0, 1, log0];
    const { divergence, grad, gradTarget } = cpu.klDivergence(logits, given, [3], { target, grad: true });
    expect(divergence).toEqual(Float64Array.of(inf));
    expect(grad?.every(Number.isFinite)).toBe(true);
    expect(gradTarget?.[2]).toBe(atMask);
    if (target === 'logits') expect([...(gradTarget ?? [])]).toEqual([-inf, -inf, nan]);
    else expect(gradTarget?.slice(0, 2).every(Number.isFinite)).toBe(true);
  });

  test('a teacher that masks a class stays 0 there even where the divergence is infinite', () => {
    const { divergence, gradTarget } = cpu.klDivergence([0, log0, 1], [1, 2, log0], [3], {
      target: 'logits',
      grad: true,
    });
    expect(divergence).toEqual(Float64Array.of(inf));
    expect(gradTarget).toEqual(Float64Array.of(-inf, nan, 0));
  });

  test('a negative probability is NaN', () => {
    expect(cpu.klDivergence([0, 1], [-0.5, 1], [2], { target: 'probs' }).divergence[0]).toBe(nan);
  });

  test('probabilities that do not sum to 1 are taken as they are', () => {
    const { divergence, grad } = cpu.klDivergence([0, 0], [1, 2], [2], { target: 'probs', grad: true });
    expect(divergence[0]).toBeCloseTo(2 * Math.log(2) + 3 * Math.log(2), 14);
    expect(grad).toEqual(Float64Array.of(0.5, -0.5));
  });

  test.each([
    ['a NaN', nan, 0],
    ['a +Infinity', inf, 0],
    ['nothing but -Infinity', -inf, -inf],
  ])('a row of logits, or of a teacher, with %s is NaN, and leaves its neighbours alone', (_, a, b) => {
    const good = [1, 2];
    const bad = [a, b];
    const one = cpu.klDivergence(good, [0, log0], [1, 2], {
      target: 'logits',
      grad: true,
      reduction: 'none',
    });
    const rows = (student: number[], teacher: number[]) =>
      cpu.klDivergence([...good, ...student], [0, log0, ...teacher], [2, 2], {
        target: 'logits',
        grad: true,
        reduction: 'none',
      });
    for (const result of [rows(bad, [0, log0]), rows(good, bad)]) {
      expect(result.divergence).toEqual(Float64Array.of(one.divergence[0] as number, nan));
      expect(result.grad).toEqual(Float64Array.of(...(one.grad ?? []), nan, nan));
      expect(result.gradTarget).toEqual(Float64Array.of(...(one.gradTarget ?? []), nan, nan));
    }
    for (const [target, given] of [
      ['probs', [1, 0]],
      ['logProbs', [0, log0]],
    ] as const) {
      const result = cpu.klDivergence(bad, given, [2], { target, grad: true });
      expect([...result.divergence, ...(result.grad ?? []), ...(result.gradTarget ?? [])]).toEqual(
        new Array(5).fill(nan),
      );
    }
  });

  test('nor has a bad row a divergence from nothing at all', () => {
    expect(cpu.klDivergence([nan, 0], [0, 0], [2], { target: 'probs' }).divergence).toEqual(
      Float64Array.of(nan),
    );
    expect(cpu.klDivergence([1, 0], [0, 0], [2], { target: 'probs' }).divergence).toEqual(Float64Array.of(0));
  });

  test('a teacher that all but excludes a class', () => {
    // q = e^-720 under p = 1/2: the ratio of the two overflows.
    const { divergence } = cpu.klDivergence([0, 0], [0, 720], [2], { target: 'logits' });
    expect(divergence[0]).toBeCloseTo(Math.LN2, 15);
  });

  test('an infinite upstream gradient is g p - g q', () => {
    const { grad } = cpu.klDivergence([0, 0, log0], [0, 0.5, 0], [3], {
      target: 'probs',
      grad: true,
      gradOutput: inf,
    });
    expect(grad).toEqual(Float64Array.of(nan, nan, nan));
    for (const teacher of [
      [1, 0],
      [0, 2],
    ]) {
      const both = cpu.klDivergence([0, 1], teacher, [2], { target: 'logits', grad: true, gradOutput: -inf });
      expect(both.grad).toEqual(Float64Array.of(nan, nan));
    }
  });

  test('temperature^2 scales the value and all gradients', () => {
    const options = { target: 'logits', temperature: 3, grad: true } as const;
    const plain = cpu.klDivergence([0, 1, 5], [2, 1, 0], [3], options);
    const scaled = cpu.klDivergence([0, 1, 5], [2, 1, 0], [3], {
      ...options,
      scaleByTemperatureSquared: true,
    });
    expectClose(
      scaled.divergence,
      plain.divergence.map((x) => 9 * x),
      14,
    );
    expectClose(scaled.grad, plain.grad?.map((x) => 9 * x) ?? [], 14);
    expectClose(scaled.gradTarget, plain.gradTarget?.map((x) => 9 * x) ?? [], 14);
  });
});

describe('edges of entropy', () => {
  test('a masked class has no part and the gradient 0; an infinite upstream gradient follows IEEE there', () => {
    const { entropy, grad } = cpu.entropy([1, -inf, 2], [3], { grad: true });
    const without = cpu.entropy([1, 2], [2], { grad: true });
    expect(entropy).toEqual(without.entropy);
    expect(grad).toEqual(Float64Array.of(without.grad?.[0] as number, 0, without.grad?.[1] as number));
    expect(cpu.entropy([1, -inf, 2], [3], { grad: true, gradOutput: inf }).grad).toEqual(
      Float64Array.of(inf, nan, -inf),
    );
  });

  test('no rows: a mean is NaN, a sum 0', () => {
    expect(cpu.entropy([], [0, 3]).entropy).toEqual(Float64Array.of(nan));
    expect(cpu.entropy([], [0, 3], { reduction: 'sum' }).entropy).toEqual(Float64Array.of(0));
    expect(cpu.binaryCrossEntropy([], [], [0, 3]).loss).toEqual(Float64Array.of(nan));
    expect(cpu.klDivergence([], [], [0, 3], { target: 'logits', reduction: 'none', grad: true })).toEqual({
      divergence: new Float64Array(0),
      grad: new Float64Array(0),
      gradTarget: new Float64Array(0),
    });
  });
});

describe('edges of binaryCrossEntropy', () => {
  test('an infinite logit', () => {
    const { loss, grad, gradTargets } = cpu.binaryCrossEntropy(
      [inf, inf, inf, -inf, -inf, -inf],
      [0, 0.25, 1, 0, 0.25, 1],
      [6],
      { reduction: 'none', grad: true },
    );
    expect(loss).toEqual(Float64Array.of(inf, inf, nan, nan, nan, nan));
    expect(grad).toEqual(Float64Array.of(1, 0.75, 0, 0, -0.25, -1));
    expect(gradTargets).toEqual(Float64Array.of(-inf, -inf, -inf, inf, inf, inf));
  });

  test('the weight of the positive class goes with the last axis', () => {
    const { loss } = cpu.binaryCrossEntropy([0, 0, 0, 0], [1, 1, 1, 1], [2, 1, 2], {
      posWeight: [1, 3],
      reduction: 'none',
    });
    expectClose(
      loss,
      [1, 3, 1, 3].map((a) => a * Math.LN2),
      14,
    );
  });

  test('one upstream gradient for each element', () => {
    const { grad, gradTargets } = cpu.binaryCrossEntropy([0, 2], [0, 1], [1, 2], {
      reduction: 'none',
      grad: true,
      gradOutput: [3, 0],
    });
    expect(grad).toEqual(Float64Array.of(1.5, -0));
    expect(gradTargets).toEqual(Float64Array.of(-0, -0));
  });

  test('a single number', () => {
    expect(cpu.binaryCrossEntropy([0], [1], []).loss[0]).toBeCloseTo(Math.LN2, 15);
    expect(cpu.binaryCrossEntropy([0], [1], [], { posWeight: [3] }).loss[0]).toBeCloseTo(3 * Math.LN2, 15);
  });
});

describe('edges of logitStats', () => {
  test('equal logits rank by class, and 0 is equal to -0', () => {
    const { argmax, targetRank, topK } = cpu.logitStats([-0, 0, -1, 0], Int32Array.of(3), [1, 4], {
      topK: 4,
    });
    expect(argmax).toEqual(Int32Array.of(0));
    expect(targetRank).toEqual(Int32Array.of(2));
    expect(topK?.indices).toEqual(Int32Array.of(0, 1, 3, 2));
    expect(topK?.values).toEqual(Float64Array.of(-0, 0, 0, -1));
  });

  test('a row with a NaN has no order', () => {
    const stats = cpu.logitStats([1, nan, 3, 1, 2, 3], Int32Array.of(0, 0), [2, 3], { topK: 2 });
    const good = cpu.logitStats([1, 2, 3], Int32Array.of(0), [1, 3], { topK: 2 });
    expect(stats).toEqual({
      logSumExp: Float64Array.of(nan, ...good.logSumExp),
      entropy: Float64Array.of(nan, ...good.entropy),
      argmax: Int32Array.of(-1, 2),
      targetLogProb: Float64Array.of(nan, ...(good.targetLogProb ?? [])),
      targetRank: Int32Array.of(-1, 2),
      topK: { values: Float64Array.of(nan, nan, 3, 2), indices: Int32Array.of(-1, -1, 2, 1) },
    });
  });

  test('infinities are ranked, also where there is no softmax', () => {
    const stats = cpu.logitStats([1, inf, -inf, inf, -inf, -inf, -inf, -inf], Int32Array.of(3, 2), [2, 4], {
      topK: 3,
    });
    expect(stats).toEqual({
      logSumExp: Float64Array.of(inf, -inf),
      entropy: Float64Array.of(nan, nan),
      argmax: Int32Array.of(1, 0),
      targetLogProb: Float64Array.of(nan, nan),
      targetRank: Int32Array.of(1, 2),
      topK: {
        values: Float64Array.of(inf, inf, 1, -inf, -inf, -inf),
        indices: Int32Array.of(1, 3, 0, 0, 1, 2),
      },
    });
    const masked = cpu.logitStats([1, -inf], Int32Array.of(1), [2]);
    expect(masked.targetLogProb).toEqual(Float64Array.of(-inf));
    expect(masked.targetRank).toEqual(Int32Array.of(1));
  });

  test('a target out of range has no rank and is named', () => {
    const stats = cpu.logitStats([1, 2, 3, 4], Int32Array.of(1, -100), [2, 2]);
    expect(stats.outOfRange).toEqual({ row: 1, value: -100 });
    expect(stats.targetRank).toEqual(Int32Array.of(0, -1));
    expect(stats.targetLogProb?.[1]).toBe(nan);
    expect(cpu.logitStats([1, 2], Int32Array.of(2), [2]).outOfRange).toEqual({ row: 0, value: 2 });
    const both = cpu.logitStats([1, 2, 3, 4], Int32Array.of(7, 8), [2, 2]);
    expect(both.outOfRange).toEqual({ row: 0, value: 7 });
  });

  test('what was not asked for is not there', () => {
    expect(Object.keys(cpu.logitStats([1, 2], undefined, [2]))).toEqual(['logSumExp', 'entropy', 'argmax']);
  });
});

describe('bad arguments', () => {
  const four = [1, 2, 3, 4];
  const two = Int32Array.of(0, 1);
  const kl = { target: 'logits' } as const;
  test.each<[string, () => unknown]>([
    ['nllLoss: logProbs holds 4', () => cpu.nllLoss(four, two, [2, 3])],
    ['nllLoss: targets holds 2', () => cpu.nllLoss(four, two, [1, 4])],
    ['nllLoss: targets must be', () => cpu.nllLoss(four, [0, 1] as unknown as Int32Array, [2, 2])],
    ['nllLoss: weight holds 1', () => cpu.nllLoss(four, two, [2, 2], { weight: [1] })],
    ['nllLoss: ignoreIndex', () => cpu.nllLoss(four, two, [2, 2], { ignoreIndex: 1.5 })],
    ['nllLoss: reduction', () => cpu.nllLoss(four, two, [2, 2], { reduction: 'avg' as 'mean' })],
    ['entropy: logits holds 4', () => cpu.entropy(four, [5])],
    ['entropy: axis 2', () => cpu.entropy(four, [2, 2], { axis: 2 })],
    [
      "entropy: gradOutput must be a number for reduction 'mean'",
      () => cpu.entropy(four, [2, 2], { gradOutput: [1, 1] }),
    ],
    ['entropy: gradOutput holds 4', () => cpu.entropy(four, [2, 2], { gradOutput: four, reduction: 'none' })],
    ['klDivergence: logits holds 4', () => cpu.klDivergence(four, four, [2], kl)],
    ['klDivergence: target holds 2', () => cpu.klDivergence(four, two, [2, 2], kl)],
    [
      'klDivergence: the option target',
      () => cpu.klDivergence(four, four, [4], { target: 'log' as 'probs' }),
    ],
    ['klDivergence: temperature', () => cpu.klDivergence(four, four, [4], { ...kl, temperature: 0 })],
    ['binaryCrossEntropy: logits holds 4', () => cpu.binaryCrossEntropy(four, four, [5])],
    ['binaryCrossEntropy: targets holds 2', () => cpu.binaryCrossEntropy(four, two, [2, 2])],
    ['binaryCrossEntropy: weight holds 2', () => cpu.binaryCrossEntropy(four, four, [2, 2], { weight: two })],
    [
      'binaryCrossEntropy: posWeight holds 4',
      () => cpu.binaryCrossEntropy(four, four, [2, 2], { posWeight: four }),
    ],
    [
      'binaryCrossEntropy: gradOutput holds 2',
      () => cpu.binaryCrossEntropy(four, four, [2, 2], { gradOutput: two, reduction: 'none' }),
    ],
    ['binaryCrossEntropy: shape', () => cpu.binaryCrossEntropy(four, four, [-4])],
    ['logitStats: logits holds 4', () => cpu.logitStats(four, two, [2, 3])],
    ['logitStats: targets must be', () => cpu.logitStats(four, [0] as unknown as Int32Array, [4])],
    ['logitStats: targets holds 2', () => cpu.logitStats(four, two, [4])],
    ['logitStats: topK', () => cpu.logitStats(four, two, [2, 2], { topK: 3 })],
    ['logitStats: topK', () => cpu.logitStats(four, two, [2, 2], { topK: 0 })],
    ['logitStats: topK', () => cpu.logitStats(four, two, [2, 2], { topK: 1.5 })],
  ])('%s', (message, call) => {
    expect(call).toThrow(InvalidArgumentError);
    expect(call).toThrow(message);
  });
});
