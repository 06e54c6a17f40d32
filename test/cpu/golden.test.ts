import { describe, expect, test } from 'vitest';
import * as cpu from '../../src/cpu.js';
import { InvalidArgumentError } from '../../src/errors.js';
import {
  binaryOptionsOf,
  crossEntropyOptionsOf,
  elementFactor,
  expectationOf,
  goldenLayout,
  input,
  klOptionsOf,
} from '../conformance/contract.js';
import type { GoldenCase, GoldenOutput } from '../support/golden.js';
import { loadGolden } from '../support/goldenFiles.js';

type Results = Record<string, Float64Array>;

/** How each golden op runs here: its outputs under their golden names. */
const RUN: Record<string, (golden: GoldenCase) => Results> = {
  softmax(golden) {
    const { shape, axis } = goldenLayout(golden);
    const output = cpu.softmax(input(golden, 'logits').data, shape, { axis });
    const grad = cpu.softmaxGrad(output, input(golden, 'grad_output').data, shape, { axis });
    return { output, grad_logits: grad };
  },
  log_softmax(golden) {
    const { shape, axis } = goldenLayout(golden);
    const output = cpu.logSoftmax(input(golden, 'logits').data, shape, { axis });
    const grad = cpu.logSoftmaxGrad(output, input(golden, 'grad_output').data, shape, { axis });
    return { output, grad_logits: grad };
  },
  logsumexp(golden) {
    const { shape, axis } = goldenLayout(golden);
    const logits = input(golden, 'logits').data;
    const output = cpu.logSumExp(logits, shape, { axis });
    const grad = cpu.logSumExpGrad(logits, output, input(golden, 'grad_output').data, shape, { axis });
    return { output, grad_logits: grad };
  },
  cross_entropy: runCrossEntropy,
  cross_entropy_full(golden) {
    const whole = runCrossEntropy(golden);
    if (!golden.options.z_loss) return whole;
    // PyTorch's two terms, each from a call that leaves the other out.
    const options = crossEntropyOptionsOf(golden);
    const { shape } = goldenLayout(golden);
    const targets = input(golden, 'target').data;
    const ce = cpu.crossEntropy(input(golden, 'logits').data, targets, shape, { ...options, zLoss: 0 });
    return { ...whole, ce: ce.loss };
  },
  nll_loss(golden) {
    const targets = input(golden, 'target').data as Int32Array;
    const { loss, grad } = cpu.nllLoss(input(golden, 'input').data, targets, goldenLayout(golden).shape, {
      ...crossEntropyOptionsOf(golden),
      grad: true,
    });
    return { loss, ...(grad && { grad_input: grad }) };
  },
  entropy(golden) {
    const { axis, reduction, gradOutput } = crossEntropyOptionsOf(golden);
    const options = { axis, reduction, gradOutput, grad: true };
    const result = cpu.entropy(input(golden, 'logits').data, goldenLayout(golden).shape, options);
    return { output: result.entropy, ...(result.grad && { grad_logits: result.grad }) };
  },
  bce_with_logits(golden) {
    const { data, shape } = input(golden, 'logits');
    const options = { ...binaryOptionsOf(golden), grad: true };
    const { loss, grad, gradTargets } = cpu.binaryCrossEntropy(
      data,
      input(golden, 'target').data,
      shape,
      options,
    );
    return { loss, ...(grad && { grad_logits: grad }), ...(gradTargets && { grad_target: gradTargets }) };
  },
  kl_div_logits(golden) {
    const student = input(golden, 'student_logits').data;
    const teacher = input(golden, 'teacher_logits').data;
    const options = { ...klOptionsOf(golden), grad: true };
    const result = cpu.klDivergence(student, teacher, goldenLayout(golden).shape, options);
    return {
      loss: result.divergence,
      ...(result.grad && { grad_student_logits: result.grad }),
      ...(result.gradTarget && { grad_teacher_logits: result.gradTarget }),
    };
  },
  kl_div(golden) {
    const { shape } = goldenLayout(golden);
    const logits = input(golden, 'logits').data;
    const target = input(golden, 'target').data;
    const options = { ...klOptionsOf(golden), grad: true };
    const { divergence, grad, gradTarget } = cpu.klDivergence(logits, target, shape, options);
    const factor = elementFactor(golden);
    const scaled = (values: Float64Array | undefined) => values?.map((value, i) => value * factor(i));
    if (options.reduction !== 'none') {
      return {
        loss: divergence.map((value) => value * factor(0)),
        grad_logits: scaled(grad) ?? Float64Array.of(),
        grad_target: scaled(gradTarget) ?? Float64Array.of(),
      };
    }
    // The gradient with respect to the logits is linear in the probabilities: a factor of one is a factor of its q.
    const probs = Float64Array.from(target, (t) => (options.target === 'probs' ? t : Math.exp(t)));
    const weighted = probs.map((q, i) => q * factor(i));
    const byElement = cpu.klDivergence(logits, weighted, shape, { ...options, target: 'probs' });
    return {
      loss: divergence,
      grad_logits: byElement.grad ?? Float64Array.of(),
      grad_target: scaled(gradTarget) ?? Float64Array.of(),
    };
  },
};

/** Outputs that nothing here gives, because another one holds the same. */
const REDUNDANT: Readonly<Record<string, string>> = {
  cross_entropy_full: 'z', // loss - ce
  kl_div: 'grad_input', // of the log-probabilities, -q: part of grad_logits
};

function runCrossEntropy(golden: GoldenCase): Results {
  const { shape } = goldenLayout(golden);
  const result = cpu.crossEntropy(input(golden, 'logits').data, input(golden, 'target').data, shape, {
    ...crossEntropyOptionsOf(golden),
    grad: true,
  });
  const { loss, grad, gradTargets } = result;
  return {
    loss,
    ...(grad && { grad_logits: grad }),
    ...(gradTargets && { grad_target: gradTargets }),
  };
}

const { cases } = loadGolden();
const covered = cases.filter((golden) => golden.op in RUN);

test('the golden data holds the cases that this file is about', () => {
  const counts = Object.fromEntries(
    Object.keys(RUN).map((op) => [op, covered.filter((golden) => golden.op === op).length]),
  );
  expect(counts).toEqual({
    softmax: 70,
    log_softmax: 70,
    logsumexp: 77,
    cross_entropy: 602,
    cross_entropy_full: 148,
    nll_loss: 103,
    entropy: 69,
    bce_with_logits: 60,
    kl_div_logits: 159,
    kl_div: 52,
  });
});

describe.each(Object.keys(RUN))('PyTorch float64, %s', (op) => {
  const run = RUN[op] as (golden: GoldenCase) => Results;

  test.each(covered.filter((golden) => golden.op === op).map((golden) => [golden.name, golden]))(
    '%s',
    (_, golden) => {
      const expected = expectationOf(golden);
      if (expected.kind === 'invalidArgument') {
        expect(() => run(golden)).toThrow(InvalidArgumentError);
        return;
      }
      if (expected.kind === 'targetOutOfRange') {
        expectOnlyTheBadRow(golden, expected);
        return;
      }
      const results = run(golden);
      for (const [name, output] of Object.entries(expected.outputs)) {
        if (name === REDUNDANT[op]) continue;
        const actual = results[name];
        if (!actual) throw new Error(`no result ${name}`);
        const scale = inputScale(golden, name);
        const worst = worstError(actual, output, scale);
        const alternative = expected.alternatives[name];
        const excess = alternative
          ? Math.min(worst.excess, worstError(actual, alternative, scale).excess)
          : worst.excess;
        expect(excess, `${name} ${worst.where}`).toBeLessThanOrEqual(1);
      }
    },
  );
});

/** A bad target poisons its row and the reduced loss; the other rows are those of a call without it. */
function expectOnlyTheBadRow(golden: GoldenCase, bad: { row: number; value: number }): void {
  const { shape, classes } = goldenLayout(golden);
  const logits = input(golden, 'logits').data;
  const targets = input(golden, 'target').data;
  const options = { ...crossEntropyOptionsOf(golden), grad: true };
  const actual = cpu.crossEntropy(logits, targets, shape, options);
  expect(actual.outOfRange).toEqual({ row: bad.row, value: bad.value });
  expect(actual.loss).toEqual(Float64Array.of(Number.NaN));
  const without = cpu.crossEntropy(logits, targets.with(bad.row, -100), shape, options);
  const grad = without.grad?.fill(Number.NaN, bad.row * classes, (bad.row + 1) * classes);
  expect(grad).toBeDefined();
  expect(actual.grad).toEqual(grad);
}

interface Worst {
  /** Error over tolerance; above 1 is a failure. */
  excess: number;
  where: string;
}

/**
 * The tolerance of the golden data: 1e-12 relative, or a few 1e-15 of the input scale. (4e-15, not 2e-15: PyTorch adds
 * terms of 1e-17 to a sum that starts at 1, and loses 128,000 of them in `big128256_ce_peaked`.)
 */
function tolerance(magnitude: number, scale: number, terms = 1): number {
  return 1e-12 * magnitude + 4e-15 * scale * terms;
}

function worstError(actual: Float64Array, expected: GoldenOutput, scale: number): Worst {
  const worst: Worst = { excess: 0, where: '' };
  const compare = (a: number, e: number, allowed: number, where: string): void => {
    if (Object.is(a, e) || a === e) return;
    const finite = Number.isFinite(a) && Number.isFinite(e);
    const excess = finite ? Math.abs(a - e) / allowed : Number.POSITIVE_INFINITY;
    if (excess <= worst.excess) return;
    worst.excess = excess;
    worst.where = `${where}: ${a}, expected ${e}`;
  };
  if ('data' in expected) {
    compare(actual.length, expected.data.length, 0, 'length');
    expected.data.forEach((e, i) => {
      compare(actual[i] as number, e, tolerance(Math.abs(e), scale), `[${i}]`);
    });
    return worst;
  }
  const { index, value, rowSum, rowAbsSum } = expected.summary;
  index.forEach((at, k) => {
    const e = value[k] as number;
    compare(actual[at] as number, e, tolerance(Math.abs(e), scale), `[${at}]`);
  });
  const width = expected.shape.at(-1) as number;
  rowSum.forEach((e, r) => {
    const row = actual.subarray(r * width, (r + 1) * width);
    const magnitude = rowAbsSum[r] as number;
    const allowed = tolerance(magnitude, scale, width);
    compare(pairwiseSum(row), e, allowed, `sum of row ${r}`);
    compare(pairwiseSum(row.map(Math.abs)), magnitude, allowed, `absolute sum of row ${r}`);
  });
  return worst;
}

/** A plain sum of 100,000 numbers is off by more than the numbers are. */
function pairwiseSum(values: Float64Array): number {
  if (values.length <= 8) return values.reduce((total, x) => total + x, 0);
  const half = values.length >> 1;
  return pairwiseSum(values.subarray(0, half)) + pairwiseSum(values.subarray(half));
}

/** What an output of this case can be large in: upstream gradient, weights, and logits. */
function inputScale(golden: GoldenCase, name: string): number {
  const largest = (key: string): number =>
    ((golden.inputs[key]?.data ?? Float32Array.of(1)) as Float32Array).reduce(
      (max, x) => (Number.isFinite(x) ? Math.max(max, Math.abs(x)) : max),
      0,
    );
  const logits = Math.max(1, largest('logits'));
  const gradient = largest('grad_output') * largest('weight');
  if (name === 'grad_target') return gradient * logits;
  // A gradient of softmax is bounded: huge logits are no reason to be off by more. That of logsumexp is made from a
  // rounded log-sum-exp; beyond 1e5 it is PyTorch's own rounding or the exact answer, nothing in between.
  if (name === 'grad_logits') return gradient * Math.min(logits, golden.op === 'logsumexp' ? 1e5 : 100);
  return logits * largest('weight');
}
