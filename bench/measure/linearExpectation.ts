// The same for what begins with the logits of a linear layer. Rows that a case repeats are computed once.
import * as oracle from 'webgpu-loss/cpu';
import { type LinearProblem, linearBounds, linearLogits } from '../../test/conformance/linearBounds.js';
import { CONSERVATIVE } from '../../test/support/bounds.js';
import type { Case, CaseData } from './contender.js';
import type { Expectation } from './expectation.js';
import { contextCount, contextsOf } from './head.js';

type Floats = Float32Array<ArrayBuffer>;

/** A case by its distinct rows, and which of them each of its rows is. */
export type Rows = LinearProblem & Required<Pick<LinearProblem, 'contexts'>>;

/** The exact results of a case of a linear layer. */
export function linearExpectation(of: Case, data: CaseData, gradFilter: number): Expectation {
  return expectationOfRows(of, { ...rowsOf(of, data), options: { gradFilter } });
}

export function expectationOfRows(of: Case, problem: Rows): Expectation {
  if (of.op === 'matMul') return productExpectation(of, problem);
  const { hidden, weight, targets, shape, contexts, options } = problem;
  const [distinct, features] = shape;
  const times = new Float64Array(distinct);
  for (const k of contexts) times[k] = (times[k] as number) + 1;
  const grad = of.op === 'linearCrossEntropyGrad';
  const exact = oracle.linearCrossEntropy(hidden, weight, targets, shape, {
    ...options,
    reduction: 'none',
    grad,
    gradOutput: times.map((n) => n / of.rows),
  });
  const bounds = linearBounds(problem, CONSERVATIVE);
  const mean = exact.loss.reduce((sum, loss, k) => sum + (loss * (times[k] as number)) / of.rows, 0);
  const loss = { values: [mean], bound: bounds.loss };
  if (!grad) return { loss };
  const gradHidden = new Float64Array(of.rows * features);
  contexts.forEach((k, r) => {
    for (let d = 0; d < features; d++) {
      gradHidden[r * features + d] = (exact.gradHidden?.[k * features + d] as number) / (times[k] as number);
    }
  });
  return {
    loss,
    gradHidden: { values: gradHidden, bound: bounds.gradHidden },
    gradWeight: { values: exact.gradWeight as Float64Array, bound: bounds.gradWeight },
  };
}

/** The distinct rows come first in the data. */
function rowsOf(of: Case, { seed, inputs }: CaseData): Rows {
  const { features = 0, classes } = of;
  const distinct = contextCount(of);
  const { hidden, weight, targets } = inputs as Readonly<Record<string, Floats>>;
  return {
    hidden: (hidden as Floats).subarray(0, distinct * features),
    weight: weight as Floats,
    targets: Int32Array.from(targets?.subarray(0, distinct) ?? []),
    shape: [distinct, features, classes],
    options: {},
    contexts: contextsOf(of, seed),
  };
}

function productExpectation({ rows, classes }: Case, problem: Rows): Expectation {
  const exact = linearLogits(problem);
  const placeOf = (i: number): number =>
    (problem.contexts[Math.floor(i / classes)] as number) * classes + (i % classes);
  const values = new Float64Array(rows * classes);
  for (let i = 0; i < values.length; i++) values[i] = exact.values[placeOf(i)] as number;
  return { logits: { values, bound: (i) => exact.errors[placeOf(i)] as number } };
}
