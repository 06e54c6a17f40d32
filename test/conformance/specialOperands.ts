// Gradients of operands that no forward pass gives: each kind of special value in each place, beside usual ones, as IEEE arithmetic has it.

import * as cpu from '../../src/cpu.js';
import {
  binaryCrossEntropy,
  logSoftmaxGrad,
  logSumExpGrad,
  softmaxGrad,
  type Tensor,
} from '../../src/index.js';
import { check } from './assert.js';
import type { Check, Env } from './check.js';
import { numbers, withTensors } from './tensors.js';

const SPECIAL: readonly number[] = [Number.NaN, Infinity, -Infinity];
const VALUES: readonly number[] = [...SPECIAL, 0, -0, 0.5, -2];
/** Beside `VALUES`, these make sums of either sign, and of 0. */
const FILLERS: readonly number[] = [-1.5, 0, 0.25, 4];
const CLASSES = 5;
/** Where the element in question lies among those of a binary cross-entropy: not in the first group of four. */
const PLACE = 6;
/** The other values are few, and of the size of 1. */
const BOUND = 1e-5;

export function specialOperandChecks(): Check[] {
  return [
    check('special operands: softmaxGrad', (env) =>
      compare(env, 'softmax gradient', rowsOf([0.25, 0, 0.5, 0.125]), softmaxGrad, cpu.softmaxGrad),
    ),
    check('special operands: logSoftmaxGrad', (env) =>
      compare(
        env,
        'log-softmax gradient',
        rowsOf([-1, -Infinity, -2, 0]),
        logSoftmaxGrad,
        cpu.logSoftmaxGrad,
      ),
    ),
    check('special operands: logSumExpGrad', logSumExpGradients),
    check('special operands: binaryCrossEntropy, none', (env) => binary(env, 'none')),
    check('special operands: binaryCrossEntropy, sum', (env) => binary(env, 'sum')),
    check('special operands: binaryCrossEntropy, finite that overflow', binaryOverflow),
  ];
}

/** Rows of both operands of a gradient: all pairs of values, at places that lie in different groups of four. */
interface Operands {
  readonly first: Float32Array<ArrayBuffer>;
  readonly second: Float32Array<ArrayBuffer>;
  readonly shape: readonly [number, number];
}

function rowsOf(others: readonly number[]): Operands {
  const rows = VALUES.flatMap((a) =>
    VALUES.flatMap((b) =>
      FILLERS.flatMap((filler) =>
        [0, CLASSES - 1].map((place) => {
          const [first, second] = [[...others], [filler, 1, -1, 0.5]];
          first.splice(place, 0, a);
          second.splice(place, 0, b);
          return [first, second] as const;
        }),
      ),
    ),
  );
  return {
    first: Float32Array.from(rows.flatMap(([first]) => first)),
    second: Float32Array.from(rows.flatMap(([, second]) => second)),
    shape: [rows.length, CLASSES],
  };
}

async function compare(
  { ctx, ledger }: Env,
  quantity: string,
  { first, second, shape }: Operands,
  op: (first: Tensor, second: Tensor) => Promise<Tensor>,
  oracle: (first: Float32Array, second: Float32Array, shape: readonly number[]) => Float64Array,
): Promise<void> {
  await withTensors(async (keep) => {
    const [a, b] = [first, second].map((data) => keep(ctx.tensor(data, shape))) as [Tensor, Tensor];
    const grad = keep(await op(a, b));
    ledger.checkAll(
      quantity,
      await numbers(grad),
      oracle(first, second, shape),
      () => BOUND,
      'special operands',
    );
  });
}

async function logSumExpGradients({ ctx, ledger }: Env): Promise<void> {
  const rows = VALUES.flatMap((lse) =>
    VALUES.flatMap((g) => VALUES.map((x) => [lse, g, [x, -1, -Infinity, 0.5, x]] as const)),
  );
  const shape = [rows.length, CLASSES];
  const logits = Float32Array.from(rows.flatMap(([, , x]) => x));
  const lse = Float32Array.from(rows, ([value]) => value);
  const upstream = Float32Array.from(rows, ([, value]) => value);
  await withTensors(async (keep) => {
    const x = keep(ctx.tensor(logits, shape));
    const [ofLse, g] = [lse, upstream].map((data) => keep(ctx.tensor(data, [rows.length]))) as [
      Tensor,
      Tensor,
    ];
    const grad = keep(await logSumExpGrad(x, ofLse, g));
    const exact = cpu.logSumExpGrad(logits, lse, upstream, shape);
    ledger.checkAll('log-sum-exp gradient', await numbers(grad), exact, () => BOUND, 'special operands');
  });
}

/** Operands of a binary cross-entropy, in the order of `names`; all combinations of two of them, the others usual. */
const NAMES = ['logits', 'targets', 'weight', 'posWeight', 'gradOutput'] as const;
type BinaryOperands = Readonly<Record<(typeof NAMES)[number], number>>;
const USUAL: BinaryOperands = { logits: 0.5, targets: 0.25, weight: 1, posWeight: 2, gradOutput: -1 };

function binaryElements(): readonly BinaryOperands[] {
  return NAMES.flatMap((one, i) =>
    NAMES.slice(i + 1).flatMap((other) =>
      [...VALUES, 1].flatMap((a) => [...VALUES, 1].map((b) => ({ ...USUAL, [one]: a, [other]: b }))),
    ),
  );
}

/** A row has one such element, among usual ones. `posWeight` has one value a class, so that each of its values has a call of its own. */
async function binary(env: Env, reduction: 'none' | 'sum'): Promise<void> {
  const elements = binaryElements();
  for (const posWeight of [...VALUES, 1, USUAL.posWeight]) {
    const rows = elements
      .filter((element) => Object.is(element.posWeight, posWeight))
      .map((element) => Array.from({ length: 9 }, (_, c) => (c === PLACE ? element : USUAL)));
    // A sum over all rows would say little: one call for each.
    for (const part of reduction === 'none' ? [rows] : rows.map((row) => [row])) {
      await compareBinary(env, part, reduction);
    }
  }
}

/** Finite operands whose product, or sum, is not. */
async function binaryOverflow(env: Env): Promise<void> {
  const large = { ...USUAL, logits: 3e38, targets: 0, weight: 4 };
  const steep = { ...USUAL, logits: -1, targets: 2, weight: 3e38, gradOutput: 1e10 };
  const rows = [large, steep].map((element) => [USUAL, element, USUAL, USUAL, USUAL]);
  await compareBinary(env, rows, 'none', (exact) => Float32Array.from(exact));
}

async function compareBinary(
  { ctx, ledger }: Env,
  rows: readonly (readonly BinaryOperands[])[],
  reduction: 'none' | 'sum',
  rounded: (values: Float64Array) => ArrayLike<number> = (values) => values,
): Promise<void> {
  const [first] = rows as [readonly BinaryOperands[]];
  const shape = [rows.length, first.length];
  const values = (name: keyof BinaryOperands): Float32Array<ArrayBuffer> =>
    Float32Array.from(rows.flat(), (element) => element[name]);
  const posWeight = Float32Array.from(first, (element) => element.posWeight);
  const upstream = reduction === 'none' ? values('gradOutput') : (first[PLACE] as BinaryOperands).gradOutput;
  const exact = cpu.binaryCrossEntropy(values('logits'), values('targets'), shape, {
    weight: values('weight'),
    posWeight,
    reduction,
    gradOutput: upstream,
    grad: true,
  });
  await withTensors(async (keep) => {
    const result = await binaryCrossEntropy(
      keep(ctx.tensor(values('logits'), shape)),
      keep(ctx.tensor(values('targets'), shape)),
      {
        weight: keep(ctx.tensor(values('weight'), shape)),
        posWeight: keep(ctx.tensor(posWeight, [first.length])),
        reduction,
        grad: true,
        gradOutput: typeof upstream === 'number' ? upstream : keep(ctx.tensor(upstream, shape)),
      },
    );
    for (const [quantity, tensor, expected] of [
      ['binary cross-entropy', result.loss, exact.loss],
      ['binary cross-entropy gradient', result.grad, exact.grad],
      ['binary cross-entropy target gradient', result.gradTargets, exact.gradTargets],
    ] as const) {
      const actual = await numbers(keep(tensor as Tensor));
      ledger.checkAll(quantity, actual, rounded(expected as Float64Array), () => BOUND, 'special operands');
    }
  });
}
