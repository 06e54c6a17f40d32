// A divergence on any rows, compared with the float64 implementation under the derived bounds.

import { kernelFacts } from '../../src/cli/doctor/kernel.js';
import * as cpu from '../../src/cpu.js';
import { klDivergence, type Tensor } from '../../src/index.js';
import { rowShape } from '../../src/shape.js';
import { FLUSH, meanBound, sumBound, U } from '../support/bounds.js';
import {
  type KlFacts,
  klGradientBound,
  klLogitsFacts,
  klLogProbsFacts,
  klProbsFacts,
  klRow,
  klScale,
} from '../support/klBounds.js';
import type { Env } from './check.js';
import type { RowsCase } from './opChecks.js';
import { CaseRows } from './rows.js';
import { expectShape, numbers, withTensors } from './tensors.js';

/** Options of a divergence that both implementations take, with plain arrays. */
export interface KlChoices {
  readonly target: 'logits' | 'probs' | 'logProbs';
  readonly temperature?: number;
  readonly scaleByTemperatureSquared?: boolean;
  readonly reduction?: 'none' | 'mean' | 'sum';
  readonly gradOutput?: number | Float32Array<ArrayBuffer>;
}

export interface KlCase extends RowsCase {
  readonly target: Float32Array<ArrayBuffer>;
  readonly choices: KlChoices;
}

/** Bounds of each element of a divergence's results. */
export interface KlBounds {
  /** The facts of a row. */
  readonly facts: (r: number) => KlFacts;
  readonly rows: CaseRows;
  readonly divergence: (i: number) => number;
  readonly grad: (i: number) => number;
  readonly gradTarget: (i: number) => number;
}

export function klBounds({ ctx }: Env, of: Omit<KlCase, 'where'>): KlBounds {
  const { layout, logits, target, choices, policy } = of;
  const { temperature = 1, scaleByTemperatureSquared = false, reduction = 'mean', gradOutput = 1 } = choices;
  const kernel = kernelFacts(ctx, layout.inner, policy);
  const rows = new CaseRows(layout, logits);
  const known = new Map<number, KlFacts>();
  const facts = (r: number): KlFacts => {
    const made = known.get(r) ?? measure(r);
    known.set(r, made);
    return made;
  };
  const measure = (r: number): KlFacts => {
    const student = klRow(rows.read(logits, r), temperature, kernel);
    const given = rows.read(target, r);
    if (choices.target === 'logits') return klLogitsFacts(student, klRow(given, temperature, kernel));
    return (choices.target === 'probs' ? klProbsFacts : klLogProbsFacts)(student, given);
  };
  const factor = scaleByTemperatureSquared ? temperature ** 2 : 1;
  const bound = (r: number): number => {
    const { value, error } = facts(r).divergence;
    return factor * (error + (factor === 1 ? 0 : 4 * U * Math.abs(value))) + FLUSH;
  };
  const whole = (): number => {
    const each = Array.from({ length: layout.rows }, (_, r) => r);
    const [values, bounds] = [each.map((r) => factor * facts(r).divergence.value), each.map(bound)];
    return reduction === 'sum'
      ? sumBound(values, bounds, kernel)
      : meanBound(values, bounds, layout.rows, 0, kernel);
  };
  const scale = (i: number, chained: boolean) =>
    klScale(typeof gradOutput === 'number' ? gradOutput : (gradOutput[rows.rowOf(i)] as number), {
      mean: reduction === 'mean' ? layout.rows : undefined,
      factor: chained ? factor / temperature : factor,
    });
  const reduced = reduction === 'none' ? 0 : whole();
  return {
    facts,
    rows,
    divergence: (i) => (reduction === 'none' ? bound(i) : reduced),
    grad: (i) => klGradientBound(facts(rows.rowOf(i)).grad(rows.classOf(i)), scale(i, true)),
    gradTarget: (i) =>
      klGradientBound(
        facts(rows.rowOf(i)).gradTarget(rows.classOf(i)),
        scale(i, choices.target === 'logits'),
      ),
  };
}

/** `klDivergence` with everything it gives. */
export async function checkKlDivergence(env: Env, of: KlCase): Promise<void> {
  await withTensors(async (keep) => {
    const { layout, logits, target, choices, policy = {}, where } = of;
    const { shape, axis } = layout;
    const { gradOutput = 1, reduction = 'mean' } = choices;
    const perRow = rowShape(layout);
    const upstream = typeof gradOutput === 'number' ? gradOutput : keep(env.ctx.tensor(gradOutput, perRow));
    const result = await klDivergence(
      keep(env.ctx.tensor(logits, shape)),
      keep(env.ctx.tensor(target, shape)),
      { ...choices, axis, policy, grad: true, gradOutput: upstream },
    );
    for (const tensor of Object.values(result)) keep(tensor);
    expectShape(result.divergence, reduction === 'none' ? perRow : [], where);
    const exact = cpu.klDivergence(logits, target, shape, { ...choices, axis, grad: true });
    const bounds = klBounds(env, of);
    const name = `kl divergence (${choices.target})`;
    for (const [quantity, key] of [
      [name, 'divergence'],
      [`${name} gradient`, 'grad'],
      [`${name} target gradient`, 'gradTarget'],
    ] as const) {
      const actual = await numbers(result[key] as Tensor);
      const expected = exact[key] as Float64Array;
      acceptFlushed(actual, expected, key, of, bounds);
      env.ledger.checkAll(quantity, actual, expected, bounds[key], `${where} ${key}`);
    }
  });
}

/**
 * Right either way: what depends on a probability that may count as 0; and NaN or an infinity of either sign, where an infinite upstream
 * gradient meets what is 0 but for its error, or an infinite sum of probabilities a p_j that may count as 0.
 */
function acceptFlushed(
  actual: Float32Array,
  expected: Float64Array,
  key: 'divergence' | 'grad' | 'gradTarget',
  { layout, choices }: KlCase,
  { facts, rows }: KlBounds,
): void {
  const { reduction = 'mean', gradOutput = 1 } = choices;
  const all = Array.from({ length: layout.rows }, (_, r) => r);
  expected.forEach((value, i) => {
    if (key === 'divergence') {
      const from = reduction === 'none' ? [i] : all;
      if (from.some((r) => facts(r).undecided)) expected[i] = actual[i] as number;
      return;
    }
    const r = rows.rowOf(i);
    const { undecided, probs, target, mass } = facts(r);
    const c = rows.classOf(i);
    const isTiny = (x: number): boolean => x > 0 && x < FLUSH;
    if (key === 'gradTarget' && (undecided || (isTiny(target(c)) && !Number.isFinite(value)))) {
      expected[i] = actual[i] as number;
    }
    if (Number.isFinite(value) || Number.isFinite(actual[i])) return;
    const { value: part, error } = facts(r)[key](c);
    const upstream = typeof gradOutput === 'number' ? gradOutput : (gradOutput[r] as number);
    const vanishes = Math.abs(upstream) === Number.POSITIVE_INFINITY && Math.abs(part) <= error;
    const isLost = key === 'grad' && !Number.isFinite(mass) && isTiny(probs[c] as number);
    if (vanishes || isLost) expected[i] = actual[i] as number;
  });
}
