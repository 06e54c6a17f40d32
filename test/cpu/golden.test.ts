import { describe, expect, test } from 'vitest';
import * as cpu from '../../src/cpu.js';
import { InvalidArgumentError } from '../../src/errors.js';
import { crossEntropyOptionsOf, expectationOf, goldenLayout, input } from '../conformance/contract.js';
import { ORACLE, type Results } from '../conformance/oracle.js';
import type { GoldenCase, GoldenOutput } from '../support/golden.js';
import { loadGolden } from '../support/goldenFiles.js';

/** Outputs that nothing here gives, because another one holds the same. */
const REDUNDANT: Readonly<Record<string, string>> = {
  cross_entropy_full: 'z', // loss - ce
  kl_div: 'grad_input', // of the log-probabilities, -q: part of grad_logits
};

const { cases } = loadGolden();
const covered = cases.filter((golden) => golden.op in ORACLE);

test('the golden data holds the cases that this file is about', () => {
  const counts = Object.fromEntries(
    Object.keys(ORACLE).map((op) => [op, covered.filter((golden) => golden.op === op).length]),
  );
  expect(counts).toEqual({
    softmax: 70,
    log_softmax: 70,
    logsumexp: 77,
    cross_entropy: 602,
    cross_entropy_full: 148,
    fused_linear_cross_entropy: 75,
    nll_loss: 103,
    entropy: 69,
    bce_with_logits: 60,
    kl_div_logits: 159,
    kl_div: 52,
  });
});

describe.each(Object.keys(ORACLE))('PyTorch float64, %s', (op) => {
  const run = ORACLE[op] as (golden: GoldenCase) => Results;

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
