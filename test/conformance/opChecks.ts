// One call of an op on any rows, compared with the float64 implementation under the derived bounds.
// Gradients get the float32 inputs that the oracle gets, so that a bound holds for that one call alone.

import { kernelFacts } from '../../src/cli/doctor/kernel.js';
import * as cpu from '../../src/cpu.js';
import {
  crossEntropy,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  logSumExpGrad,
  type Policy,
  softmax,
  softmaxGrad,
} from '../../src/index.js';
import { type Layout, rowShape } from '../../src/shape.js';
import {
  FLUSH,
  gradOutputSum,
  logProbabilityBound,
  logSoftmaxGradBound,
  logSumExpBound,
  logSumExpGradBound,
  probabilityBound,
  type RowFacts,
  softmaxGradBound,
  softmaxGradFacts,
} from '../support/bounds.js';
import type { Env } from './check.js';
import { crossEntropyBounds } from './crossEntropyBounds.js';
import { CaseRows } from './rows.js';
import { expectShape, numbers, withTensors } from './tensors.js';

/** Rows of logits, and how to run them. */
export interface RowsCase {
  /** Names the case in messages. */
  readonly where: string;
  readonly layout: Layout;
  readonly logits: Float32Array<ArrayBuffer>;
  readonly policy?: Partial<Policy>;
}

export function rowsOf(env: Env, { layout, logits, policy }: RowsCase): CaseRows {
  return new CaseRows(layout, logits, {}, kernelFacts(env.ctx, layout.inner, policy));
}

/** `softmax`, and `softmaxGrad` of its exact result. */
export async function checkSoftmax(
  env: Env,
  of: RowsCase & { readonly upstream: Float32Array<ArrayBuffer> },
): Promise<void> {
  await withTensors(async (keep) => {
    const { layout, logits, upstream, where } = of;
    const { shape, axis } = layout;
    const options = optionsOf(of);
    const exact = cpu.softmax(logits, shape, { axis });
    const probs = Float32Array.from(exact);
    const output = keep(await softmax(keep(env.ctx.tensor(logits, shape)), options));
    const given = [probs, upstream].map((data) => keep(env.ctx.tensor(data, shape))) as [never, never];
    const grad = keep(await softmaxGrad(...given, options));
    expectShape(output, shape, where);
    expectShape(grad, shape, where);

    const rows = rowsOf(env, of);
    const bound = (i: number): number => probabilityBound(rows.at(i), rows.classOf(i));
    env.ledger.checkAll('softmax', await numbers(output), exact, bound, where);
    const facts = perRow((r) => {
      const row = { ...rows.row(r), probs: rows.read(probs, r) };
      const given = (k: number): number => flushedInput(row.probs[k] as number);
      return { row, given, mean: softmaxGradFacts(row, rows.read(upstream, r), given) };
    });
    const exactGrad = cpu.softmaxGrad(probs, upstream, shape, { axis });
    const gradBound = (i: number): number => {
      const { row, given, mean } = facts(rows.rowOf(i));
      return softmaxGradBound(row, rows.classOf(i), upstream[i] as number, mean, given);
    };
    env.ledger.checkAll('softmax gradient', await numbers(grad), exactGrad, gradBound, where);
  });
}

/** `logSoftmax`, and `logSoftmaxGrad` of its exact result. */
export async function checkLogSoftmax(
  env: Env,
  of: RowsCase & { readonly upstream: Float32Array<ArrayBuffer> },
): Promise<void> {
  await withTensors(async (keep) => {
    const { layout, logits, upstream, where } = of;
    const { shape, axis } = layout;
    const options = optionsOf(of);
    const exact = cpu.logSoftmax(logits, shape, { axis });
    const logProbs = Float32Array.from(exact);
    const output = keep(await logSoftmax(keep(env.ctx.tensor(logits, shape)), options));
    const given = [logProbs, upstream].map((data) => keep(env.ctx.tensor(data, shape))) as [never, never];
    const grad = keep(await logSoftmaxGrad(...given, options));
    expectShape(output, shape, where);
    expectShape(grad, shape, where);

    const rows = rowsOf(env, of);
    const bound = (i: number): number => logProbabilityBound(rows.at(i), rows.classOf(i));
    env.ledger.checkAll('log-softmax', await numbers(output), exact, bound, where);
    const facts = perRow((r) => {
      const row = { ...rows.row(r), probs: rows.read(logProbs, r).map(Math.exp) };
      return { row, sum: gradOutputSum(row, rows.read(upstream, r)) };
    });
    const exactGrad = cpu.logSoftmaxGrad(logProbs, upstream, shape, { axis });
    const actualGrad = await numbers(grad);
    acceptFlushed(actualGrad, exactGrad, (i) => {
      const { row, sum } = facts(rows.rowOf(i));
      return isTiny(row.probs[rows.classOf(i)] as number) && !Number.isFinite(sum.value);
    });
    const gradBound = (i: number): number => {
      const { row, sum } = facts(rows.rowOf(i));
      return logSoftmaxGradBound(row, rows.classOf(i), upstream[i] as number, sum, isExact);
    };
    env.ledger.checkAll('log-softmax gradient', actualGrad, exactGrad, gradBound, where);
  });
}

/** `logSumExp`, and `logSumExpGrad` of its exact result. `upstream`: one value a row. */
export async function checkLogSumExp(
  env: Env,
  of: RowsCase & { readonly upstream: Float32Array<ArrayBuffer>; readonly keepDims?: boolean },
): Promise<void> {
  await withTensors(async (keep) => {
    const { layout, logits, upstream, where, keepDims = false } = of;
    const { shape, axis } = layout;
    const options = optionsOf(of);
    const exact = cpu.logSumExp(logits, shape, { axis });
    const given = Float32Array.from(exact);
    const x = keep(env.ctx.tensor(logits, shape));
    const lse = keep(await logSumExp(x, { ...options, keepDims }));
    expectShape(lse, rowShape(layout, keepDims), where);
    const [givenLse, g] = [given, upstream].map((data) =>
      keep(env.ctx.tensor(data, rowShape(layout, keepDims))),
    ) as [never, never];
    const grad = keep(await logSumExpGrad(x, givenLse, g, options));
    expectShape(grad, shape, where);

    const rows = rowsOf(env, of);
    const lseBound = (r: number): number => logSumExpBound(rows.row(r));
    env.ledger.checkAll('log-sum-exp', await numbers(lse), exact, lseBound, where);
    // Measured from the lse that is given, as the op does.
    const facts = perRow((r): RowFacts => {
      const row = rows.row(r);
      return { ...row, probs: row.logits.map((value) => Math.exp(value - (given[r] as number))) };
    });
    const exactGrad = cpu.logSumExpGrad(logits, given, upstream, shape, { axis });
    const actualGrad = await numbers(grad);
    acceptFlushed(actualGrad, exactGrad, (i) => {
      const r = rows.rowOf(i);
      return isTiny(facts(r).probs[rows.classOf(i)] as number) && !Number.isFinite(upstream[r] as number);
    });
    const gradBound = (i: number): number => {
      const r = rows.rowOf(i);
      return logSumExpGradBound(facts(r), rows.classOf(i), upstream[r] as number, 0);
    };
    env.ledger.checkAll('log-sum-exp gradient', actualGrad, exactGrad, gradBound, where);
  });
}

/** Options of a cross-entropy that both implementations take, with plain arrays. */
export interface CrossEntropyChoices {
  readonly weight?: Float32Array<ArrayBuffer>;
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly reduction?: 'none' | 'mean' | 'sum';
  readonly gradOutput?: number | Float32Array<ArrayBuffer>;
}

/** `crossEntropy` with everything it gives. Targets out of range are not for here: `read()` would reject. */
export async function checkCrossEntropy(
  env: Env,
  of: RowsCase & {
    readonly targets: Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
    readonly choices: CrossEntropyChoices;
    readonly grad: boolean | 'in-place';
  },
): Promise<void> {
  await withTensors(async (keep) => {
    const { layout, logits, targets, choices, grad, where } = of;
    const { shape, axis } = layout;
    const byIndex = !(targets instanceof Float32Array);
    const { gradOutput = 1 } = choices;
    const x = keep(env.ctx.tensor(logits, shape));
    const result = await crossEntropy(x, keep(env.ctx.tensor(targets, byIndex ? rowShape(layout) : shape)), {
      ...choices,
      ...optionsOf(of),
      grad,
      returnLogSumExp: true,
      gradOutput:
        typeof gradOutput === 'number' ? gradOutput : keep(env.ctx.tensor(gradOutput, rowShape(layout))),
    });
    for (const tensor of Object.values(result)) keep(tensor);
    const exact = cpu.crossEntropy(logits, targets, shape, { ...choices, axis, grad: grad !== false });
    expectShape(result.loss, choices.reduction === 'none' ? rowShape(layout) : [], where);

    const rows = rowsOf(env, of);
    const bounds = crossEntropyBounds(rows, targets, choices);
    const compare = async (
      quantity: string,
      key: 'loss' | 'grad' | 'gradTargets' | 'logSumExp',
      bound: (i: number) => number,
      isFlushed: (i: number) => boolean = () => false,
    ): Promise<void> => {
      const [tensor, expected] = [result[key], exact[key]];
      if (!tensor || !expected) {
        if (tensor || expected) throw new Error(`${where}: ${key} is ${tensor ? 'too much' : 'missing'}`);
        return;
      }
      const actual = await numbers(tensor);
      acceptFlushed(actual, expected, isFlushed);
      env.ledger.checkAll(quantity, actual, expected, bound, `${where} ${key}`);
    };
    await compare('log-sum-exp', 'logSumExp', (r) => logSumExpBound(rows.row(r)));
    // Infinite probabilities times a log S or a p that counts as 0.
    const hasInfinity = (r: number): boolean =>
      !byIndex && rows.read(targets, r).some((q) => Math.abs(q) === Number.POSITIVE_INFINITY);
    const isFlushed = (r: number): boolean => rows.row(r).stats.logSum < FLUSH && hasInfinity(r);
    await compare('cross-entropy loss', 'loss', bounds.loss, (i) =>
      choices.reduction === 'none'
        ? isFlushed(i)
        : Array.from({ length: layout.rows }, (_, r) => r).some(isFlushed),
    );
    await compare('cross-entropy gradient', 'grad', bounds.grad, (i) => {
      const r = rows.rowOf(i);
      const g = typeof gradOutput === 'number' ? gradOutput : (gradOutput[r] as number);
      return isTiny(rows.row(r).probs[rows.classOf(i)] as number) && (!Number.isFinite(g) || hasInfinity(r));
    });
    await compare('cross-entropy target gradient', 'gradTargets', bounds.gradTargets);
    if (grad === 'in-place' && result.grad !== x) throw new Error(`${where}: not in place`);
  });
}

function optionsOf({ layout, policy }: RowsCase): { axis: number; policy: Partial<Policy> } {
  return { axis: layout.axis, policy: policy ?? {} };
}

/** Error of an input that is what the oracle got as well. */
function isExact(): number {
  return 0;
}

/** An input below the normal floats may count as 0: as far off as any flushed number. */
function flushedInput(value: number): number {
  return value !== 0 && Math.abs(value) < 2 ** -126 ? FLUSH : 0;
}

function isTiny(p: number): boolean {
  return p > 0 && p < FLUSH;
}

/** What is below the normal floats, or below those of float64, may count as 0 or not; times an infinity that is NaN or infinite. */
function acceptFlushed(
  actual: Float32Array,
  expected: Float64Array,
  isFlushed: (i: number) => boolean,
): void {
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i] as number, expected[i] as number];
    if (!Number.isFinite(a) && !Number.isFinite(e) && Number.isNaN(a) !== Number.isNaN(e) && isFlushed(i)) {
      expected[i] = a;
    }
  }
}

/** What `make` gives for a row, made when first asked for. */
function perRow<T>(make: (r: number) => T): (r: number) => T {
  const made: T[] = [];
  return (r) => {
    made[r] ??= make(r);
    return made[r] as T;
  };
}
