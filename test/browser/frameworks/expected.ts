// What the pages must have come to, by the oracle.
import { expect } from 'vitest';
import { crossEntropy, logitStats } from '../../../src/cpu.js';
import { layoutOf } from '../../../src/shape.js';
import { crossEntropyBounds } from '../../conformance/crossEntropyBounds.js';
import { CaseRows } from '../../conformance/rows.js';
import { entropyFacts, logProbabilityBound, U } from '../../support/bounds.js';
import { Ledger } from '../../support/ledger.js';
import { floatsOf, LOSS_CASES, type LossResult, type ThrownError, type Training } from './cases.js';

/** What the pages made of `LOSS_CASES`: the gradient is with respect to half of the logits, of the loss times the factor. */
export function expectLosses(target: string, results: readonly LossResult[]): void {
  expect(results).toHaveLength(LOSS_CASES.length);
  const ledger = new Ledger(target);
  for (const [k, { name, shape, logits, labels, options, factor }] of LOSS_CASES.entries()) {
    const { loss: bits, grad, ...result } = results[k] as LossResult;
    const read = floatsOf(result.read)[0] as number;
    const rows = new CaseRows(layoutOf('test', shape), logits, options);
    const all = { ...options, gradOutput: factor };
    const exact = crossEntropy(logits, labels, shape, { ...all, grad: true });
    const bounds = crossEntropyBounds(rows, labels, all);
    ledger.check('loss', read, exact.loss[0] as number, bounds.loss(0), name);
    expect(floatsOf(bits)[0]).toBe(Math.fround(read * factor));
    ledger.checkAll(
      'gradient',
      floatsOf(grad),
      (exact.grad as Float64Array).map((value) => 2 * value),
      (i) => 2 * bounds.grad(i),
      name,
    );
  }
}

export function expectTraining({ losses, early, late }: Training): void {
  expect(losses).toHaveLength(100);
  expect(losses.every(Number.isFinite)).toBe(true);
  // Five clouds that do not touch: from about ln 5 to about what the smoothing leaves.
  expect(losses[0]).toBeGreaterThan(1.2);
  expect(Math.max(...losses.slice(-3))).toBeLessThan(0.2);
  expect(early.ownBuffers).toBeGreaterThan(0);
  expect(late).toEqual(early);
}

/** A message alone is that of an `InvalidArgumentError`. */
export function expectErrors(
  found: Readonly<Record<string, ThrownError>>,
  expected: Readonly<Record<string, RegExp | readonly [string, RegExp]>>,
): void {
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, wanted] of Object.entries(expected)) {
    const [kind, words] = wanted instanceof RegExp ? (['InvalidArgumentError', wanted] as const) : wanted;
    const error = found[name] as ThrownError;
    expect(`${name}: ${error.name}`).toBe(`${name}: ${kind}`);
    expect(error.message, name).toMatch(words);
  }
}

export interface LanguageResult {
  readonly batches: readonly {
    readonly logits: readonly number[];
    readonly targets: readonly number[];
    readonly score: Readonly<Record<string, number>>;
    readonly positions: Readonly<Record<string, readonly number[]>>;
    readonly top: { readonly logits: readonly number[]; readonly classes: readonly number[] };
  }[];
  readonly total: Readonly<Record<string, number>>;
  readonly shape: readonly [number, number, number];
}

const PADDING = 0;

export function expectScores({ batches, total, shape }: LanguageResult): void {
  expect(batches).toHaveLength(2);
  const [, tokens, classes] = shape;
  const rowCount = shape[0] * tokens;
  let counted = 0;
  let nats = 0;
  let natsBound = 0;
  for (const { logits, targets, score, positions, top } of batches) {
    // What the option `nextToken` does, said in another way.
    const next = Array.from({ length: rowCount }, (_, row) =>
      (row + 1) % tokens === 0 ? PADDING : (targets[row + 1] as number),
    );
    const ledger = new Ledger('onnxruntime');
    const expected = expectedScore(logits, next, shape, PADDING, 3);
    for (const [name, { value, bound }] of Object.entries(expected))
      ledger.check(name, score[name] as number, value, bound, name);
    const kept = next.map((target) => target !== PADDING);
    const exact = logitStats(logits, Int32Array.from(next), [rowCount, classes], { topK: 3 });
    const rows = new CaseRows(layoutOf('test', [rowCount, classes]), logits);
    for (let row = 0; row < rowCount; row++) {
      const facts = rows.row(row);
      ledger.check(
        'entropy',
        positions['entropy']?.[row] as number,
        exact.entropy[row] as number,
        entropyFacts(facts).error,
        `row ${row}`,
      );
      expect(positions['argmax']?.[row]).toBe(exact.argmax[row]);
      expect(positions['targetRank']?.[row]).toBe(kept[row] ? exact.targetRank?.[row] : -1);
      const logProb = positions['targetLogProb']?.[row];
      // JSON has null for NaN.
      if (!kept[row]) expect(logProb ?? Number.NaN).toBeNaN();
      else {
        const target = next[row] as number;
        const bound = logProbabilityBound(facts, target);
        ledger.check('log p', logProb as number, exact.targetLogProb?.[row] as number, bound, `row ${row}`);
      }
    }
    expect(top.classes).toEqual(Array.from(exact.topK?.indices as Int32Array));
    expect(top.logits).toEqual(Array.from(exact.topK?.values as Float64Array));
    const count = kept.filter(Boolean).length;
    expect(score['tokens']).toBe(count);
    counted += count;
    nats += (expected['loss']?.value as number) * count;
    natsBound += (expected['loss']?.bound as number) * count;
  }
  expect(total['tokens']).toBe(counted);
  new Ledger('onnxruntime').check(
    'loss',
    total['loss'] as number,
    nats / counted,
    natsBound / counted,
    'total',
  );
  expect(total['perplexity']).toBe(Math.exp(total['loss'] as number));
}

/** The oracle's score, and how far a sum in float64 of results in float32 may be from it. */
export function expectedScore(
  logits: readonly number[],
  targets: readonly number[],
  shape: readonly number[],
  ignoreIndex: number,
  topK = 0,
): Record<string, { readonly value: number; readonly bound: number }> {
  const classes = shape.at(-1) as number;
  const flat = [targets.length, classes];
  const safe = Int32Array.from(targets, (target) => (target === ignoreIndex ? 0 : target));
  const exact = logitStats(logits, safe, flat);
  const rows = new CaseRows(layoutOf('test', flat), logits);
  const sums = { loss: 0, lossBound: 0, entropy: 0, entropyBound: 0, hits: 0, topHits: 0, tokens: 0 };
  for (const [row, target] of targets.entries()) {
    if (target === ignoreIndex) continue;
    const facts = rows.row(row);
    sums.tokens += 1;
    sums.loss -= exact.targetLogProb?.[row] as number;
    sums.lossBound += logProbabilityBound(facts, target);
    sums.entropy += exact.entropy[row] as number;
    sums.entropyBound += entropyFacts(facts).error;
    const rank = exact.targetRank?.[row] as number;
    if (rank === 0) sums.hits += 1;
    if (rank < topK) sums.topHits += 1;
  }
  const { tokens } = sums;
  const loss = { value: sums.loss / tokens, bound: sums.lossBound / tokens };
  const { value, bound } = loss;
  return {
    loss,
    perplexity: { value: Math.exp(value), bound: Math.exp(value) * Math.expm1(bound + U) },
    entropy: { value: sums.entropy / tokens, bound: sums.entropyBound / tokens },
    accuracy: { value: sums.hits / tokens, bound: 0 },
    ...(topK > 0 && { topKAccuracy: { value: sums.topHits / tokens, bound: 0 } }),
  };
}
