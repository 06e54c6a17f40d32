// What the float64 oracle says of a case, and how far a float32 result may be from that: the bounds of the tests, for the most
// careless of the kernels that they allow.

import * as oracle from 'webgpu-loss/cpu';
import { layoutOf } from '../../src/shape.js';
import { crossEntropyBounds } from '../../test/conformance/crossEntropyBounds.js';
import { CaseRows } from '../../test/conformance/rows.js';
import {
  type BinaryElement,
  binaryGradientBound,
  binaryLoss,
  CONSERVATIVE,
  entropyFacts,
  entropyGradientBound,
  FLUSH,
  type GradScale,
  gradOutputSum,
  logProbabilityBound,
  logSoftmaxGradBound,
  logSumExpBound,
  logSumExpGradBound,
  meanBound,
  nllBound,
  probabilityBound,
  type RowFacts,
  scaleBound,
  scaleError,
  softmaxGradBound,
  softmaxGradFacts,
} from '../../test/support/bounds.js';
import { klGradientBound, klLogitsFacts, klRow, klScale } from '../../test/support/klBounds.js';
import type { Case, CaseData } from './contender.js';
import { linearExpectation } from './linearExpectation.js';
import { isLinear, type RowOp } from './tensors.js';

/** One result: its exact values, and the bound of each. */
export interface Expected {
  readonly values: ArrayLike<number>;
  readonly bound: (i: number) => number;
}

/** The results of a case by name. */
export type Expectation = Readonly<Record<string, Expected>>;

type Floats = Float32Array<ArrayBuffer>;

/** A case, its inputs, and the facts of its rows. */
class Work {
  readonly rows: number;
  readonly classes: number;
  readonly shape: readonly [number, number];
  readonly facts: CaseRows;
  readonly #inputs: CaseData['inputs'];

  constructor({ rows, classes }: Case, { inputs }: CaseData) {
    this.rows = rows;
    this.classes = classes;
    this.shape = [rows, classes];
    this.#inputs = inputs;
    // Log-probabilities are logits, too; where only probabilities are given, nothing depends on their logits.
    const logits = inputs['logits'] ?? inputs['logProbs'] ?? (inputs['probs'] as Floats);
    this.facts = new CaseRows(layoutOf('bench', this.shape, -1), logits);
  }

  floats(name: string): Floats {
    return this.#inputs[name] as Floats;
  }

  indices(): Int32Array<ArrayBuffer> {
    return this.#inputs['targets'] as Int32Array<ArrayBuffer>;
  }

  row(i: number): RowFacts {
    return this.facts.at(i);
  }

  /** Values of a row of any matrix. */
  slice(name: string, r: number): Floats {
    return this.floats(name).subarray(r * this.classes, (r + 1) * this.classes);
  }

  rowOf(i: number): number {
    return Math.floor(i / this.classes);
  }

  classOf(i: number): number {
    return i % this.classes;
  }

  /** The bound of a mean over the rows. */
  mean(value: (r: number) => number, bound: (r: number) => number): number {
    const each = Array.from({ length: this.rows }, (_, r) => r);
    return meanBound(each.map(value), each.map(bound), this.rows);
  }

  /** What a gradient of a mean over `count` is scaled with. */
  meanScale(count = this.rows): GradScale {
    return { scale: 1 / count, error: scaleError({ upstream: 1, weighted: false, mean: true }) };
  }
}

const ORACLES: { readonly [O in RowOp]: (work: Work) => Expectation } = {
  softmax: (work) => ({
    output: {
      values: oracle.softmax(work.floats('logits'), work.shape),
      bound: (i) => probabilityBound(work.row(i), work.classOf(i)),
    },
  }),
  logSoftmax: (work) => ({
    output: {
      values: oracle.logSoftmax(work.floats('logits'), work.shape),
      bound: (i) => logProbabilityBound(work.row(i), work.classOf(i)),
    },
  }),
  logSumExp: (work) => ({
    output: {
      values: oracle.logSumExp(work.floats('logits'), work.shape),
      bound: (r) => logSumExpBound(work.facts.row(r)),
    },
  }),
  crossEntropy: (work) => {
    const { loss } = oracle.crossEntropy(work.floats('logits'), work.indices(), work.shape);
    return { loss: { values: loss, bound: crossEntropyBounds(work.facts, work.indices(), {}).loss } };
  },
  crossEntropyGrad: (work) => {
    const exact = oracle.crossEntropy(work.floats('logits'), work.indices(), work.shape, { grad: true });
    const bounds = crossEntropyBounds(work.facts, work.indices(), {});
    return {
      loss: { values: exact.loss, bound: bounds.loss },
      grad: { values: exact.grad as Float64Array, bound: bounds.grad },
    };
  },
  softmaxGrad: (work) => {
    const [probs, upstream] = [work.floats('probs'), work.floats('gradOutput')];
    const facts = perRow((r) => {
      const row = givenRow(work, r, Float64Array.from(work.slice('probs', r)));
      const given = (k: number): number => flushedInput(row.probs[k] as number);
      return { row, given, mean: softmaxGradFacts(row, work.slice('gradOutput', r), given) };
    });
    return {
      grad: {
        values: oracle.softmaxGrad(probs, upstream, work.shape),
        bound: (i) => {
          const { row, mean, given } = facts(work.rowOf(i));
          return softmaxGradBound(row, work.classOf(i), upstream[i] as number, mean, given);
        },
      },
    };
  },
  logSoftmaxGrad: (work) => {
    const [logProbs, upstream] = [work.floats('logProbs'), work.floats('gradOutput')];
    const facts = perRow((r) => {
      const row = givenRow(work, r, Float64Array.from(work.slice('logProbs', r), Math.exp));
      return { row, sum: gradOutputSum(row, work.slice('gradOutput', r)) };
    });
    return {
      grad: {
        values: oracle.logSoftmaxGrad(logProbs, upstream, work.shape),
        bound: (i) => {
          const { row, sum } = facts(work.rowOf(i));
          return logSoftmaxGradBound(row, work.classOf(i), upstream[i] as number, sum, isExact);
        },
      },
    };
  },
  logSumExpGrad: (work) => {
    const [lse, upstream] = [work.floats('lse'), work.floats('gradOutput')];
    const facts = perRow((r): RowFacts => {
      const row = work.facts.row(r);
      return { ...row, probs: row.logits.map((value) => Math.exp(value - (lse[r] as number))) };
    });
    return {
      grad: {
        values: oracle.logSumExpGrad(work.floats('logits'), lse, upstream, work.shape),
        bound: (i) => {
          const r = work.rowOf(i);
          return logSumExpGradBound(facts(r), work.classOf(i), upstream[r] as number, 0);
        },
      },
    };
  },
  nllLoss: (work) => {
    const { loss, grad } = oracle.nllLoss(work.floats('logProbs'), work.indices(), work.shape, {
      grad: true,
    });
    const surprise = (r: number): number =>
      -(work.floats('logProbs')[r * work.classes + (work.indices()[r] as number)] as number);
    const scale = work.meanScale();
    return {
      loss: { values: loss, bound: () => work.mean(surprise, (r) => nllBound(surprise(r), false)) },
      grad: { values: grad as Float64Array, bound: () => scaleBound(scale) },
    };
  },
  entropy: (work) => {
    const exact = oracle.entropy(work.floats('logits'), work.shape, { reduction: 'mean', grad: true });
    const facts = perRow((r) => entropyFacts(work.facts.row(r)));
    const scale = work.meanScale();
    return {
      entropy: {
        values: exact.entropy,
        bound: () =>
          work.mean(
            (r) => facts(r).entropy,
            (r) => facts(r).error,
          ),
      },
      grad: {
        values: exact.grad as Float64Array,
        bound: (i) => entropyGradientBound(work.row(i), work.classOf(i), facts(work.rowOf(i)), scale),
      },
    };
  },
  binaryCrossEntropy: (work) => {
    const [logits, targets] = [work.floats('logits'), work.floats('targets')];
    const exact = oracle.binaryCrossEntropy(logits, targets, work.shape, { grad: true });
    const element = (i: number): BinaryElement => ({
      logit: logits[i] as number,
      target: targets[i] as number,
    });
    const scale = work.meanScale(logits.length);
    return {
      loss: { values: exact.loss, bound: () => binaryMeanBound(work, element) },
      grad: {
        values: exact.grad as Float64Array,
        bound: (i) => binaryGradientBound(element(i), scale),
      },
    };
  },
  klDivergence: (work) => {
    const [logits, target] = [work.floats('logits'), work.floats('target')];
    const options = { target: 'logits', reduction: 'mean', grad: true } as const;
    const exact = oracle.klDivergence(logits, target, work.shape, options);
    const row = (values: Floats, r: number): RowFacts => klRow(work.facts.read(values, r), 1, CONSERVATIVE);
    const facts = perRow((r) => klLogitsFacts(row(logits, r), row(target, r)));
    const scale = klScale(1, { mean: work.rows, factor: 1 });
    const gradientOf =
      (key: 'grad' | 'gradTarget') =>
      (i: number): number =>
        klGradientBound(facts(work.rowOf(i))[key](work.classOf(i)), scale);
    return {
      divergence: {
        values: exact.divergence,
        bound: () =>
          work.mean(
            (r) => facts(r).divergence.value,
            (r) => facts(r).divergence.error + FLUSH,
          ),
      },
      grad: { values: exact.grad as Float64Array, bound: gradientOf('grad') },
      gradTarget: { values: exact.gradTarget as Float64Array, bound: gradientOf('gradTarget') },
    };
  },
  logitStats: (work) => {
    const exact = oracle.logitStats(work.floats('logits'), work.indices(), work.shape);
    return {
      logSumExp: { values: exact.logSumExp, bound: (r) => logSumExpBound(work.facts.row(r)) },
      entropy: { values: exact.entropy, bound: (r) => entropyFacts(work.facts.row(r)).error },
      argmax: { values: exact.argmax, bound: isExact },
      targetLogProb: {
        values: exact.targetLogProb as Float64Array,
        bound: (r) => logProbabilityBound(work.facts.row(r), work.indices()[r] as number),
      },
      targetRank: { values: exact.targetRank as Int32Array, bound: isExact },
    };
  },
};

/** The exact results of a case; of a linear layer, with that filter of its gradients. */
export function expectationOf(of: Case, data: CaseData, gradFilter = 0): Expectation {
  const { op } = of;
  return isLinear(op) ? linearExpectation(of, data, gradFilter) : ORACLES[op](new Work(of, data));
}

/** A row of which not the logits but the probabilities are given. */
function givenRow(work: Work, r: number, probs: Float64Array): RowFacts {
  return { ...work.facts.row(r), probs };
}

/** Bound of a mean over the elements: a row's sum first, then the sum over the rows, or all of them in one chain. */
function binaryMeanBound({ rows, classes }: Work, element: (i: number) => BinaryElement): number {
  const count = rows * classes;
  const losses = new Float64Array(count);
  const bounds = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const { value, error } = binaryLoss(element(i));
    losses[i] = value;
    bounds[i] = error;
  }
  const rowsDepth = (): number => CONSERVATIVE.depth(classes) + CONSERVATIVE.rowsDepth(rows) + 1;
  return meanBound(losses, bounds, count, 0, { ...CONSERVATIVE, rowsDepth });
}

/** An input that is exactly what the oracle got. */
function isExact(): number {
  return 0;
}

/** An input below the normal floats may count as 0. */
function flushedInput(value: number): number {
  return value !== 0 && Math.abs(value) < 2 ** -126 ? FLUSH : 0;
}

/** What `make` gives for a row, made when first asked for. */
function perRow<T>(make: (r: number) => T): (r: number) => T {
  const made: T[] = [];
  return (r) => {
    made[r] ??= make(r);
    return made[r] as T;
  };
}
