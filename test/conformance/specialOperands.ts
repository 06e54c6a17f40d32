// Gradients of operands that no forward pass gives: each kind of special value in each place, beside usual ones, as IEEE arithmetic has it.

import * as cpu from '../../src/cpu.js';
import { logSoftmaxGrad, logSumExpGrad, softmaxGrad, type Tensor } from '../../src/index.js';
import { check } from './assert.js';
import type { Check, Env } from './check.js';
import { numbers, withTensors } from './tensors.js';

const SPECIAL: readonly number[] = [Number.NaN, Infinity, -Infinity];
const VALUES: readonly number[] = [...SPECIAL, 0, -0, 0.5, -2];
/** Beside `VALUES`, these make sums of either sign, and of 0. */
const FILLERS: readonly number[] = [-1.5, 0, 0.25, 4];
const CLASSES = 5;
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
