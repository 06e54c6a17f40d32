// gradFilter of linearCrossEntropy: which entries count as 0, that no other result knows of it, and that products skip what is all 0.

import * as cpu from '../../src/cpu.js';
import {
  InvalidArgumentError,
  type LinearCrossEntropyOptions,
  linearCrossEntropy,
  type Policy,
  planLinearCrossEntropy,
  type Tensor,
} from '../../src/index.js';
import { Call } from '../../src/ops/call.js';
import { outputRole } from '../../src/ops/roles.js';
import { STRATEGIES } from '../../src/plan/policy.js';
import { type Lines, productPass } from '../../src/plan/product.js';
import type { MakePasses, Spec } from '../../src/spec.js';
import { assert, check, equal, type Keep, refusesAll, sameBits } from './assert.js';
import type { Check, Env } from './check.js';
import type { LinearProblem } from './linearBounds.js';
import { compareAll, planBindings, problemOf, random01, run } from './linearCrossEntropy.js';
import { step } from './plans.js';
import { numbers } from './tensors.js';

export function gradFilterChecks(): Check[] {
  return [
    ...PROBLEMS.map(([name, problem]) =>
      check(`linear cross-entropy, gradFilter: ${name}`, (env) => againstOracle(env, problem())),
    ),
    check('linear cross-entropy, gradFilter: exactly 0, or exactly as without', exact),
    check('linear cross-entropy, gradFilter: a row does not depend on those beside it', rowsAlone),
    check('linear cross-entropy, gradFilter: what is not finite stays', notFinite),
    check('linear cross-entropy, gradFilter: a plan', plan),
    check('linear cross-entropy, gradFilter: bad values', refusals),
    check('products: where A is 0, B is not read', zeroBlocks),
  ];
}

/** Features and classes of what runs on tiles in workgroup memory, all alike: their kernels take long to compile in software. */
const [FEATURES, CLASSES] = [5, 403];

const PROBLEMS: readonly (readonly [string, () => LinearProblem])[] = [
  ['plain', () => problemOf([20, 8, 404], { gradFilter: 2 ** -12, bias: random01(404) })],
  [
    'class weights, smoothing, z-loss, temperature',
    () =>
      problemOf([9, FEATURES, CLASSES], {
        gradFilter: 0.01,
        classWeight: random01(CLASSES).map((w) => w + 1.5),
        labelSmoothing: 0.1,
        zLoss: 0.01,
        temperature: 2,
        reduction: 'sum',
        bias: random01(CLASSES),
      }),
  ],
  [
    'soft cap, upstream of each row',
    () =>
      problemOf([9, 7, 402], {
        gradFilter: 2 ** -9,
        softcap: 5,
        reduction: 'none',
        gradOutput: Float32Array.of(1, -2, 0, 0.5, 1e-3, 3, 1, 1, -1),
        bias: random01(402),
      }),
  ],
];

/** All strategies: each has its own way of writing a gradient. */
function policiesOf({ shape: [, features] }: LinearProblem): readonly Partial<Policy>[] {
  return [
    ...STRATEGIES.map((strategy) => ({ strategy, segment: 128, workgroupSize: 8 })),
    ...(features === FEATURES ? [{ staged: true }] : []),
  ];
}

async function againstOracle(env: Env, problem: LinearProblem): Promise<void> {
  const { hidden, weight, targets, shape, options } = problem;
  const gradients = (gradFilter: number): Float64Array =>
    cpu.linearCrossEntropy(hidden, weight, targets, shape, { ...options, gradFilter, grad: true })
      .gradBias as Float64Array;
  const [without, filtered] = [gradients(0), gradients(options.gradFilter as number)];
  assert(
    without.some((g, c) => g !== 0 && filtered[c] === 0),
    'the case filters nothing',
  );
  assert(
    filtered.some((g) => g !== 0),
    'the case filters everything',
  );
  for (const policy of policiesOf(problem)) {
    const results = await run(env.ctx, problem, { policy });
    compareAll(env, problem, results, `gradFilter, ${JSON.stringify(policy)}`);
  }
}

/** Every other class has a logit of -20: e^-20 = 2e-9, far below any filter here. */
const LIKELY = [140, 141, 290];

/** Rows that take the same three classes for likely, and the first or last of these for the target. */
function clearProblem(rows: number): LinearProblem {
  const weight = new Float32Array(CLASSES * FEATURES).fill(-4);
  for (const [i, c] of LIKELY.entries()) weight.fill(i / 8, c * FEATURES, (c + 1) * FEATURES);
  return {
    hidden: Float32Array.from({ length: rows * FEATURES }, (_, i) => 1 + ((i * 5) % 7) / 64),
    weight,
    targets: Int32Array.from({ length: rows }, (_, r) => (r % 2 === 0 ? 140 : 290)),
    shape: [rows, FEATURES, CLASSES],
    options: { bias: new Float32Array(CLASSES), gradFilter: 2 ** -12 },
  };
}

async function exact(env: Env): Promise<void> {
  const problem = clearProblem(21);
  for (const staged of [false, true]) {
    const policy = { staged };
    const filtered = await run(env.ctx, problem, { policy });
    const without = await run(env.ctx, problem, { policy, gradFilter: 0 });
    sameBits(filtered['loss'] as Float32Array, without['loss'] as Float32Array, 'the loss');
    for (const name of ['gradWeight', 'gradBias']) {
      const [mine, all] = [filtered[name], without[name]] as [Float32Array, Float32Array];
      const each = all.length / CLASSES;
      for (let c = 0; c < CLASSES; c++) {
        const [own, whole] = [mine, all].map((values) => values.subarray(c * each, (c + 1) * each)) as [
          Float32Array,
          Float32Array,
        ];
        if (LIKELY.includes(c)) sameBits(own, whole, `${name} of class ${c}`);
        assert(
          LIKELY.includes(c) || own.every((g) => g === 0),
          `${name} of class ${c} is ${own}, which is not 0`,
        );
        assert(
          whole.every((g) => g !== 0),
          `without a filter, ${name} of class ${c} is 0`,
        );
      }
    }
    compareAll(env, problem, filtered, `gradFilter, staged ${staged}`);
  }
  // A target that is all but certain counts as 0, too: nothing is left.
  const weight = problem.weight.slice().fill(2, 290 * FEATURES, 291 * FEATURES);
  const certain = { ...problem, weight, targets: problem.targets.slice().fill(290) };
  for (const strategy of STRATEGIES) {
    const policy = { strategy };
    const filtered = await run(env.ctx, certain, { policy });
    const without = await run(env.ctx, certain, { policy, gradFilter: 0 });
    for (const name of ['gradHidden', 'gradWeight', 'gradBias']) {
      assert(
        filtered[name]?.every((g) => g === 0),
        `${name} of a certain target is ${filtered[name]}`,
      );
      assert(
        without[name]?.some((g) => g !== 0),
        `${name} of a certain target is 0 without a filter`,
      );
    }
  }
}

async function rowsAlone(env: Env): Promise<void> {
  const problem = problemOf([37, FEATURES, CLASSES], {
    reduction: 'none',
    gradFilter: 2 ** -10,
    bias: random01(CLASSES),
  });
  const { hidden, targets } = problem;
  for (const staged of [false, true]) {
    const policy = { staged };
    const whole = await run(env.ctx, problem, { policy });
    const parts = await run(env.ctx, problem, { policy, maxScratchBytes: 12_000 });
    for (const name of ['loss', 'gradHidden']) {
      sameBits(parts[name] as Float32Array, whole[name] as Float32Array, `${name}, in chunks`);
    }
    const [from, to] = [5, 12];
    const some = {
      ...problem,
      hidden: hidden.slice(from * FEATURES, to * FEATURES),
      targets: targets.slice(from, to),
      shape: [to - from, FEATURES, CLASSES] as const,
    };
    const alone = await run(env.ctx, some, { policy });
    sameBits(
      alone['gradHidden'] as Float32Array,
      (whole['gradHidden'] as Float32Array).slice(from * FEATURES, to * FEATURES),
      'gradHidden, of some rows',
    );
  }
}

/** Where an operand is not finite, 0 times it is NaN: with a filter as without, whatever block the 0 is in. */
async function notFinite(env: Env): Promise<void> {
  for (const softcap of [undefined, 3]) {
    const clear = clearProblem(19);
    const weight = clear.weight.slice();
    // A class of its own block, far from any likely one, that is masked; and with a soft cap the likeliest class that there may be.
    weight[12 * FEATURES + 1] = softcap === undefined ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    const targets = clear.targets.slice();
    if (softcap !== undefined) targets[4] = 12;
    const problem = { ...clear, weight, targets, options: { ...clear.options, softcap } };
    // One row by itself has no neighbours whose entries would keep its block.
    const alone = {
      ...problem,
      hidden: clear.hidden.slice(0, FEATURES),
      targets: Int32Array.of(softcap === undefined ? 140 : 12),
      shape: [1, FEATURES, CLASSES] as const,
    };
    for (const [given, staged] of [
      [problem, false],
      [problem, true],
      [alone, false],
    ] as const) {
      const policy = { staged };
      const filtered = await run(env.ctx, given, { policy });
      const without = await run(env.ctx, given, { policy, gradFilter: 0 });
      for (const [name, values] of Object.entries(without)) {
        const nan = (array: Float32Array): string => array.map((x) => (Number.isNaN(x) ? 1 : 0)).join('');
        equal(nan(filtered[name] as Float32Array), nan(values), `where ${name} is NaN, softcap ${softcap}`);
      }
      const hidden = filtered['gradHidden'] as Float32Array;
      assert(
        hidden.every((g, i) => Number.isNaN(g) === (i % FEATURES === 1)),
        'NaN where the weight is not finite, and only there',
      );
    }
  }
  const clear = clearProblem(19);
  // A row that is NaN stays NaN, and so does all that it contributes to.
  const hidden = clear.hidden.slice();
  hidden[7 * FEATURES] = Number.NaN;
  const spoiled = await run(env.ctx, { ...clear, hidden });
  assert(
    spoiled['gradHidden']?.every((g, i) => Number.isNaN(g) === (Math.floor(i / FEATURES) === 7)),
    'the gradient of a row that is NaN',
  );
  assert(spoiled['gradBias']?.every(Number.isNaN), 'the gradient of the bias, with a row that is NaN');
  // An infinite upstream gradient: NaN at the target, and infinities.
  const gradOutput = new Float32Array(19).fill(1);
  gradOutput[2] = Number.POSITIVE_INFINITY;
  const options = { ...clear.options, reduction: 'none', gradOutput } as const;
  const infinite = await run(env.ctx, { ...clear, options });
  infinite['gradBias']?.forEach((g, c) => {
    equal(g, c === 140 ? Number.NaN : Number.POSITIVE_INFINITY, `gradBias of class ${c}`);
  });
}

async function plan(env: Env, keep: Keep): Promise<void> {
  const { ctx } = env;
  const problem = problemOf([11, 8, 203], { gradFilter: 2 ** -8 });
  const [rows, features, classes] = problem.shape;
  const terms = { shape: [rows, features], classes, grad: true };
  const made = keep(await planLinearCrossEntropy(ctx, { ...terms, gradFilter: 2 ** -8 }));
  const bindings = planBindings(ctx, problem, keep);
  step(ctx, made, bindings);
  const expected = await run(ctx, problem);
  for (const name of ['loss', 'gradHidden', 'gradWeight'] as const) {
    sameBits(await numbers(bindings[name]), expected[name] as Float32Array, name);
  }
  if (ctx.device === undefined) return;
  const filters = async (more: object): Promise<number> => {
    const { passes } = keep(await planLinearCrossEntropy(ctx, { ...terms, ...more }));
    return passes.filter(({ variant }) => /\/(grad_filter|skips_zeros)\b/.test(variant)).length;
  };
  equal(await filters({ gradFilter: 2 ** -8 }), 3, 'kernels with a filter: the rows, and two products');
  equal(await filters({}), 0, 'kernels with a filter, by default');
  equal(await filters({ gradFilter: 0 }), 0, 'kernels with a filter of 0');
  equal(await filters({ gradFilter: 2 ** -8, grad: false }), 0, 'kernels with a filter, without gradients');
}

async function refusals({ ctx }: Env, keep: Keep): Promise<void> {
  const hidden = keep(ctx.tensor(new Float32Array(8), [2, 4]));
  const weight = keep(ctx.tensor(new Float32Array(12), [3, 4]));
  const targets = Int32Array.of(0, 2);
  const words = /gradFilter.*(use a number from 0, which is off, to below 1|must be in \[0, 1\))/;
  const bad = [-1e-9, 1, Number.NaN, Number.POSITIVE_INFINITY];
  await refusesAll(
    InvalidArgumentError,
    'rejects',
    [...bad, '0.1' as unknown as number].flatMap((gradFilter) => {
      const options: LinearCrossEntropyOptions = { gradFilter };
      return [
        [`${gradFilter}`, () => linearCrossEntropy(hidden, weight, targets, options), words],
        [
          `${gradFilter} in a plan`,
          () => planLinearCrossEntropy(ctx, { shape: [2, 4], classes: 3, gradFilter }),
          words,
        ],
      ] as const;
    }),
  );
  const arrays = [new Float32Array(8), new Float32Array(12)] as const;
  await refusesAll(
    InvalidArgumentError,
    'throws',
    bad.map((gradFilter) => [
      `${gradFilter} on arrays`,
      () => cpu.linearCrossEntropy(...arrays, targets, [2, 4, 3], { gradFilter }),
      words,
    ]),
  );
}

/** A product by itself, with its tiles as this check has them. */
interface Sample {
  readonly staged: boolean;
  /** Lines of A are its rows, else its columns. */
  readonly aByRows: boolean;
}

/** Rows and terms in a block of A that is skipped where all of it is 0. */
const BLOCK = { direct: [8, 4], staged: [64, 16] } as const;
const [ROWS, COLUMNS, DEPTH] = [70, 9, 52];
/** In the middle, and up to the end. */
const isZero = (k: number): boolean => (k >= 16 && k < 32) || k >= 48;

/** Where the element of A in this row and term lies. */
function placeOf({ aByRows }: Sample, row: number, k: number): number {
  return aByRows ? row * DEPTH + k : k * ROWS + row;
}

async function product(
  { ctx }: Env,
  keep: Keep,
  { staged, aByRows }: Sample,
  a: Float32Array<ArrayBuffer>,
  b: Float32Array<ArrayBuffer>,
): Promise<Float32Array> {
  const tensors = { a: keep(ctx.tensor(a, [a.length])), b: keep(ctx.tensor(b, [b.length])) };
  const call = new Call('product', 'a', tensors.a, { policy: { staged } });
  for (const [name, tensor] of Object.entries(tensors)) call.matrix(name, tensor);
  const lines = (from: string, count: number, length: number): Lines => {
    return { from, scratch: false, dtype: 'f32', start: 0, count, length, stride: length };
  };
  const spec = {
    op: 'product',
    settings: {},
    roles: {
      a: { shape: [a.length], dtype: 'f32', access: 'in' },
      b: { shape: [b.length], dtype: 'f32', access: 'in' },
      c: outputRole([ROWS * COLUMNS]),
    },
    passes: async (): Promise<MakePasses> => (build) => [
      productPass(build, {
        name: 'sample',
        rows: ROWS,
        columns: COLUMNS,
        depth: DEPTH,
        a: aByRows ? lines('a', ROWS, DEPTH) : lines('a', DEPTH, ROWS),
        aByRows,
        b: lines('b', DEPTH, COLUMNS),
        bByRows: true,
        c: lines('c', ROWS, COLUMNS),
        skipsZeros: true,
      }),
    ],
  };
  const { c } = await call.run<{ c: Tensor }>(spec as unknown as Spec);
  return numbers(keep(c));
}

/** B is NaN in terms in which A is 0, so that the result tells what was skipped. */
async function zeroBlocks(env: Env, keep: Keep): Promise<void> {
  if (env.ctx.device === undefined) return;
  const value = (row: number, k: number): number => (isZero(k) ? 0 : ((row * 3 + k * 5) % 7) - 3);
  const b = Float32Array.from({ length: DEPTH * COLUMNS }, (_, i) =>
    isZero(Math.floor(i / COLUMNS)) ? Number.NaN : (i % 5) - 2,
  );
  for (const sample of [
    { staged: false, aByRows: true },
    { staged: false, aByRows: false },
    { staged: true, aByRows: true },
  ]) {
    const where = JSON.stringify(sample);
    const a = new Float32Array(ROWS * DEPTH);
    for (let r = 0; r < ROWS; r++) for (let k = 0; k < DEPTH; k++) a[placeOf(sample, r, k)] = value(r, k);
    const result = await product(env, keep, sample, a, b);
    for (let i = 0; i < ROWS * COLUMNS; i++) {
      const [row, column] = [Math.floor(i / COLUMNS), i % COLUMNS];
      let sum = 0;
      for (let k = 0; k < DEPTH; k++)
        if (!isZero(k)) sum += value(row, k) * (b[k * COLUMNS + column] as number);
      assert(result[i] === sum, `${where}: C[${row}, ${column}] is ${result[i]}, expected ${sum}`);
    }
    // -0 is something, and so is NaN, in whatever place of a block: nothing of that block is skipped, and all of the others is.
    const [rows, terms] = sample.staged ? BLOCK.staged : BLOCK.direct;
    for (const [odd, row, k] of [
      [-0, 3, 18],
      [Number.NaN, rows - 1, 16],
      [2 ** -126, 0, 15 + terms],
    ] as const) {
      const marked = a.slice();
      marked[placeOf(sample, row, k)] = odd;
      const spoiled = await product(env, keep, sample, marked, b);
      spoiled.forEach((c, i) => {
        const inside = Math.floor(i / COLUMNS) < rows;
        assert(Number.isNaN(c) === inside, `${where}, ${odd} in row ${row}, term ${k}: C[${i}] is ${c}`);
      });
    }
  }
}
