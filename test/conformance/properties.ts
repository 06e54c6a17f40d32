// Properties that must hold for any bits whatever: raw 32-bit patterns as logits, upstream gradients and targets, any shape
// and class axis. fast-check prints the seed and the shrunken example of a failure.

import fc from 'fast-check';
import { crossEntropy, logSoftmax, type Policy, softmax, type Tensor } from '../../src/index.js';
import { elementCount, type Layout, layoutOf, rowShape } from '../../src/shape.js';
import { probabilityBound } from '../support/bounds.js';
import { assert, sameBits } from './assert.js';
import type { Check, Env } from './check.js';
import { crossEntropyBounds } from './crossEntropyBounds.js';
import { checkKlDivergence, type KlCase, type KlChoices } from './klChecks.js';
import {
  type CrossEntropyChoices,
  checkCrossEntropy,
  checkLogSoftmax,
  checkLogSumExp,
  checkSoftmax,
  type RowsCase,
  rowsOf,
} from './opChecks.js';
import { comparable, numbers, withTensors } from './tensors.js';

const SEED = 20_240_601;

export function propertyChecks(): Check[] {
  return [
    property('softmax and its gradient', 120, pairs(upstreams()), async (env, { of, upstream }) => {
      await checkSoftmax(env, { ...of, upstream });
    }),
    property('logSoftmax and its gradient', 120, pairs(upstreams()), async (env, { of, upstream }) => {
      await checkLogSoftmax(env, { ...of, upstream });
    }),
    property('logSumExp and its gradient', 120, pairs(upstreams(), 'rows'), async (env, { of, upstream }) => {
      await checkLogSumExp(env, { ...of, upstream, keepDims: of.layout.rows % 2 === 0 });
    }),
    property('cross-entropy of indices', 150, indexCases(), async (env, { of, targets, choices, grad }) => {
      await checkCrossEntropy(env, { ...of, targets, choices, grad });
    }),
    property(
      'cross-entropy of probabilities',
      150,
      probsCases(),
      async (env, { of, targets, choices, grad }) => {
        await checkCrossEntropy(env, { ...of, targets, choices, grad });
      },
    ),
    property('divergence from logits', 100, klCases('logits'), checkKlDivergence),
    property('divergence from probabilities', 80, klCases('probs'), checkKlDivergence),
    property('divergence from log-probabilities', 80, klCases('logProbs'), checkKlDivergence),
    property('a row with anything in it leaves its neighbours alone', 100, neighbours(), leavesNeighbours),
    property('probabilities sum to 1, gradients to 0', 100, rowsCases(tame()), sumsAddUp),
    property('targets out of range are NaN, and nothing else is', 100, strayTargets(), strayTargetsAreNaN),
  ];
}

export function property<T>(
  name: string,
  numRuns: number,
  arbitrary: fc.Arbitrary<T>,
  holds: (env: Env, value: T) => Promise<void>,
): Check {
  return {
    name: `property: ${name} (seed ${SEED})`,
    run: (env) =>
      fc.assert(
        fc.asyncProperty(arbitrary, (value) => holds(env, value)),
        // Shrinking ends in time to be reported.
        { seed: SEED, numRuns, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: true },
      ),
  };
}

/** The float32 of a bit pattern survives as such only in an array: a JavaScript number may lose the payload of a NaN. */
function floats(bits: readonly number[]): Float32Array<ArrayBuffer> {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

function bitsOfFloat(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] as number;
}

const SPECIAL: readonly number[] = [
  0x7fc00000, // NaN
  0xffc00000,
  0x7f800001, // signalling NaN
  0x7fffffff,
  0xffffffff,
  0x7f800000, // Infinity
  0xff800000,
  0x00000000,
  0x80000000,
  0x00000001, // subnormal
  0x807fffff,
  0x00800000, // the smallest normal number
  0x7f7fffff, // the largest
  0xff7fffff,
  0x3f800000,
  0xbf800000,
];

/** A number around `size`, as bits. */
function around(size: number): fc.Arbitrary<number> {
  return fc.integer({ min: -4096, max: 4096 }).map((step) => bitsOfFloat((step / 4096) * size));
}

function rawBits(): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: 0xffffffff });
}

/** Finite numbers of any sensible size. */
function tame(): fc.Arbitrary<number> {
  return fc.oneof({ weight: 6, arbitrary: around(8) }, around(100), around(1e4), around(1e-3));
}

/** Logits: mostly plain, so that a special one meets plain ones in its row. */
export function wild(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 10, arbitrary: around(8) },
    { weight: 2, arbitrary: around(100) },
    around(1e30),
    around(3.4e38),
    fc.constantFrom(...SPECIAL),
    fc.constant(0xff800000),
    rawBits(),
  );
}

/** Upstream gradients: of a size that no product of them overflows or vanishes where the exact result does not. */
function upstreams(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 8, arbitrary: around(4) },
    around(1e10),
    fc.constantFrom(0x7fc00000, 0x7f800001, 0x7f800000, 0xff800000, 0, 0x80000000),
  );
}

/** As chosen for the rows, which is a thread or a workgroup to a row; or split, with several segments to a row of some 100 classes. */
function policies(): fc.Arbitrary<Partial<Policy>> {
  return fc.constantFrom<Partial<Policy>[]>(
    {},
    { strategy: 'split-row', workgroupSize: 8, segment: 128, vec4: false },
  );
}

/** Shapes of rank 1 to 4 with any class axis: short rows of all sizes, sometimes long ones. */
function layouts(): fc.Arbitrary<Layout> {
  const classes = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 9 }) },
    fc.integer({ min: 10, max: 40 }),
    fc.constantFrom(127, 128, 129, 256, 300),
  );
  return fc
    .tuple(classes, fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }), fc.nat(3), fc.boolean())
    .map(([size, others, at, fromBack]) => {
      const axis = at % (others.length + 1);
      const shape = others.toSpliced(axis, 0, size);
      return layoutOf('properties', shape, fromBack ? axis - shape.length : axis);
    });
}

function arrayOf(bits: fc.Arbitrary<number>, length: number): fc.Arbitrary<Float32Array<ArrayBuffer>> {
  return fc.array(bits, { minLength: length, maxLength: length }).map(floats);
}

export function rowsCases(bits = wild()): fc.Arbitrary<RowsCase> {
  return fc
    .tuple(layouts(), policies())
    .chain(([layout, policy]) =>
      arrayOf(bits, elementCount(layout.shape)).map((logits) => ({ where: 'it', layout, logits, policy })),
    );
}

/** Rows, and an upstream gradient for each element, or for each row. */
function pairs(
  bits: fc.Arbitrary<number>,
  per: 'elements' | 'rows' = 'elements',
): fc.Arbitrary<{ of: RowsCase; upstream: Float32Array<ArrayBuffer> }> {
  return rowsCases().chain((of) =>
    arrayOf(bits, per === 'rows' ? of.layout.rows : of.logits.length).map((upstream) => ({ of, upstream })),
  );
}

/** Multiples of 1/8: float32 and float64 agree on their sums, so that a divisor of 0 is one for both. */
function weights(classes: number): fc.Arbitrary<Float32Array<ArrayBuffer>> {
  const weight = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 16 }) },
    fc.integer({ min: -8, max: 0 }),
  );
  return arrayOf(
    weight.map((eighths) => bitsOfFloat(eighths / 8)),
    classes,
  );
}

/** A few combinations of options: each is a shader of its own, or several, to compile. */
function choicesFor(
  layout: Layout,
): fc.Arbitrary<{ readonly choices: CrossEntropyChoices; readonly grad: boolean | 'in-place' }> {
  return fc
    .record({
      style: fc.integer({ min: 0, max: 3 }),
      weight: weights(layout.classes),
      labelSmoothing: fc.constantFrom(0.125, 0.5, 1),
      rows: arrayOf(upstreams(), layout.rows),
      all: fc.constantFrom(1, 0.5, -3, 0),
    })
    .map(({ style, weight, labelSmoothing, rows, all }) => {
      if (style === 0) return { choices: { reduction: 'none', gradOutput: rows }, grad: true };
      if (style === 1) return { choices: { reduction: 'mean', weight, gradOutput: all }, grad: 'in-place' };
      if (style === 2)
        return { choices: { reduction: 'none', weight, labelSmoothing, gradOutput: rows }, grad: true };
      return { choices: { reduction: 'sum', labelSmoothing }, grad: false };
    });
}

interface CrossEntropyCase<Targets> {
  readonly of: RowsCase;
  readonly targets: Targets;
  readonly choices: CrossEntropyChoices;
  readonly grad: boolean | 'in-place';
}

/** Kept targets and ignored ones; `ignoreIndex` may be a class. */
function indexCases(): fc.Arbitrary<CrossEntropyCase<Int32Array<ArrayBuffer>>> {
  return crossEntropyRows().chain((of) => {
    const { classes, rows } = of.layout;
    const ignores = fc.constantFrom(-100, 0, classes - 1, -1);
    return fc
      .record({ options: choicesFor(of.layout), ignoreIndex: ignores })
      .chain(({ options, ignoreIndex }) => {
        const target = fc.oneof({ weight: 5, arbitrary: fc.nat(classes - 1) }, fc.constant(ignoreIndex));
        return fc.array(target, { minLength: rows, maxLength: rows }).map((targets) => ({
          of,
          targets: Int32Array.from(targets),
          choices: { ...options.choices, ignoreIndex },
          grad: options.grad,
        }));
      });
  });
}

function probsCases(): fc.Arbitrary<CrossEntropyCase<Float32Array<ArrayBuffer>>> {
  return crossEntropyRows().chain((of) =>
    fc
      .record({ targets: arrayOf(someProbs(), of.logits.length), options: choicesFor(of.layout) })
      .map(({ targets, options }) => ({ of, targets, ...options })),
  );
}

/** Probabilities: none checked, so anything goes, but mostly ones and zeros and parts of one. */
function someProbs(): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 8 }).map((eighths) => bitsOfFloat(eighths / 8)) },
    { weight: 3, arbitrary: fc.constant(0) },
    around(2),
    fc.constantFrom(0x7fc00000, 0x7f800000, 0xff800000, 0x80000000),
  );
}

/** Losses add up differently where they overflow, so the far end of the range is left to rows of its own in `strategies`. */
function crossEntropyRows(): fc.Arbitrary<RowsCase> {
  return rowsCases(
    fc.oneof(
      { weight: 12, arbitrary: tame() },
      around(1e30),
      fc.constantFrom(...SPECIAL.filter((bits) => (bits & 0x7fffffff) !== 0x7f7fffff)),
      fc.constant(0xff800000),
    ),
  );
}

/** What each kind of divergence's target holds, as bits; also what may count as 0. */
const KL_TARGETS: Readonly<Record<KlChoices['target'], () => fc.Arbitrary<number>>> = {
  logits: wild,
  probs: () => fc.oneof({ weight: 12, arbitrary: someProbs() }, fc.constantFrom(1, 0x007fffff, 0x00800000)),
  logProbs: () =>
    fc.oneof(
      { weight: 8, arbitrary: around(8) },
      { weight: 2, arbitrary: fc.constant(0xff800000) },
      around(60),
      fc.constantFrom(0, 0x80000000, 0x7fc00000, 0x7f800000, 0x00000001, 0x80000001),
    ),
};

/** Rows up to the end of the range where each has a result of its own; plainer ones where they are added up. */
function klCases(target: KlChoices['target']): fc.Arbitrary<KlCase> {
  return fc.boolean().chain((single) =>
    (single ? rowsCases() : crossEntropyRows()).chain((of) =>
      fc
        .record({
          target: arrayOf(single ? KL_TARGETS[target]() : klTame(target), of.logits.length),
          rows: arrayOf(upstreams(), of.layout.rows),
        })
        .map(({ target: data, rows }): KlCase => {
          const choices: KlChoices = single
            ? { target, reduction: 'none', gradOutput: rows }
            : { target, temperature: 0.5, scaleByTemperatureSquared: true, gradOutput: -3 };
          // Shaders take their time to compile, and these are many; `strategies` has the others.
          const policy: Partial<Policy> = { strategy: 'row-per-thread', vec4: false };
          return { ...of, policy, target: data, choices };
        }),
    ),
  );
}

/** Targets whose divergences are of a size that adds up. */
function klTame(target: KlChoices['target']): fc.Arbitrary<number> {
  return target === 'probs'
    ? someProbs()
    : fc.oneof({ weight: 9, arbitrary: around(8) }, fc.constant(0xff800000));
}

interface Neighbours {
  readonly layout: Layout;
  readonly policy: Partial<Policy>;
  readonly good: Float32Array<ArrayBuffer>;
  readonly bad: Float32Array<ArrayBuffer>;
  readonly isBad: readonly boolean[];
}

function neighbours(): fc.Arbitrary<Neighbours> {
  return fc.tuple(layouts(), policies()).chain(([layout, policy]) => {
    const count = elementCount(layout.shape);
    return fc.record({
      layout: fc.constant(layout),
      policy: fc.constant(policy),
      good: arrayOf(tame(), count),
      bad: arrayOf(fc.oneof(rawBits(), fc.constantFrom(...SPECIAL)), count),
      isBad: fc.array(fc.boolean(), { minLength: layout.rows, maxLength: layout.rows }),
    });
  });
}

/** The rows that are in both batches have the same bits in both. */
async function leavesNeighbours({ ctx }: Env, of: Neighbours): Promise<void> {
  const { layout, policy, good, bad, isBad } = of;
  const { shape, axis, inner, classes } = layout;
  const rowOf = (i: number): number => Math.floor(i / (classes * inner)) * inner + (i % inner);
  const words = new Uint32Array(good.slice().buffer);
  new Uint32Array(bad.buffer).forEach((word, i) => {
    if (isBad[rowOf(i)]) words[i] = word;
  });
  const mixed = new Float32Array(words.buffer);
  const targets = Int32Array.from({ length: layout.rows }, (_, r) => r % classes);
  const run = (logits: Float32Array<ArrayBuffer>): Promise<Float32Array[]> =>
    withTensors(async (keep) => {
      const x = keep(ctx.tensor(logits, shape));
      const t = keep(ctx.tensor(targets, rowShape(layout)));
      const result = await crossEntropy(x, t, { axis, policy, reduction: 'none', grad: true });
      const made = [
        result.grad as Tensor,
        await softmax(x, { axis, policy }),
        await logSoftmax(x, { axis, policy }),
      ];
      return Promise.all([...made, result.loss].map((tensor) => comparable(keep(tensor))));
    });
  const [alone, among] = [await run(good), await run(mixed)];
  alone.forEach((expected, k) => {
    const perRow = expected.length === layout.rows && k === 3;
    const isKept = (_: number, i: number): boolean => !isBad[perRow ? i : rowOf(i)];
    const actual = among[k] as Float32Array;
    sameBits(
      actual.filter(isKept),
      expected.filter(isKept),
      ['grad', 'softmax', 'logSoftmax', 'loss'][k] as string,
    );
  });
}

async function sumsAddUp(env: Env, of: RowsCase): Promise<void> {
  const { layout, logits, policy = {} } = of;
  const { shape, axis, rows: count, classes } = layout;
  const targets = Int32Array.from({ length: count }, (_, r) => (7 * r) % classes);
  await withTensors(async (keep) => {
    const x = keep(env.ctx.tensor(logits, shape));
    const t = keep(env.ctx.tensor(targets, rowShape(layout)));
    const probs = await numbers(keep(await softmax(x, { axis, policy })));
    const result = await crossEntropy(x, t, { axis, policy, reduction: 'sum', grad: true });
    keep(result.loss);
    const grad = await numbers(keep(result.grad as Tensor));
    const rows = rowsOf(env, of);
    const bounds = crossEntropyBounds(rows, targets, { reduction: 'sum' });
    const [sums, allowed] = [new Float64Array(count), new Float64Array(count)];
    const [gradSums, gradAllowed] = [new Float64Array(count), new Float64Array(count)];
    probs.forEach((p, i) => {
      const r = rows.rowOf(i);
      sums[r] = (sums[r] as number) + p;
      allowed[r] = (allowed[r] as number) + probabilityBound(rows.row(r), rows.classOf(i));
      gradSums[r] = (gradSums[r] as number) + (grad[i] as number);
      gradAllowed[r] = (gradAllowed[r] as number) + bounds.grad(i);
    });
    for (let r = 0; r < count; r++) {
      env.ledger.check('sum of probabilities', sums[r] as number, 1, allowed[r] as number, `row ${r}`);
      env.ledger.check('sum of a gradient', gradSums[r] as number, 0, gradAllowed[r] as number, `row ${r}`);
    }
  });
}

interface StrayTargets {
  readonly of: RowsCase;
  readonly targets: Int32Array<ArrayBuffer>;
}

function strayTargets(): fc.Arbitrary<StrayTargets> {
  return rowsCases(tame()).chain((of) => {
    const { classes, rows } = of.layout;
    const target = fc.oneof(
      { weight: 3, arbitrary: fc.nat(classes - 1) },
      fc.constant(-100),
      fc.constantFrom(classes, classes + 1, -1, -99, 2 ** 31 - 1, -(2 ** 31)),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    );
    return fc
      .array(target, { minLength: rows, maxLength: rows })
      .map((targets) => ({ of, targets: Int32Array.from(targets) }));
  });
}

/** `read()` refuses such results, so what the kernels left there is read from the buffer itself. */
async function strayTargetsAreNaN({ ctx }: Env, { of, targets }: StrayTargets): Promise<void> {
  const { layout, logits, policy = {} } = of;
  const { shape, axis, classes } = layout;
  const isStray = Array.from(targets, (t) => t !== -100 && !(t >= 0 && t < classes));
  const mended = targets.map((t, r) => (isStray[r] ? -100 : t));
  await withTensors(async (keep) => {
    const x = keep(ctx.tensor(logits, shape));
    const options = { axis, policy, reduction: 'none', grad: true } as const;
    const run = async (t: Int32Array<ArrayBuffer>): Promise<Tensor[]> => {
      const result = await crossEntropy(x, keep(ctx.tensor(t, rowShape(layout))), options);
      return [keep(result.loss), keep(result.grad as Tensor)];
    };
    const tensors = await run(targets);
    const first = isStray.indexOf(true);
    for (const tensor of tensors) {
      const error = await tensor.read().then(
        () => undefined,
        (reason: unknown) => reason as { name: string; row?: number; value?: number },
      );
      if (first < 0)
        assert(error === undefined, `no target is out of range, but read() rejects: ${error?.name}`);
      else {
        const told = `${error?.name} of row ${error?.row}: ${error?.value}`;
        assert(told === `TargetOutOfRangeError of row ${first}: ${targets[first]}`, `read() gave ${told}`);
      }
    }
    if (ctx.backend === 'cpu') return;
    const expected = await Promise.all((await run(mended)).map(numbers));
    const rows = new Map([[tensors[0], (i: number) => i]]);
    for (const [k, tensor] of tensors.entries()) {
      const raw = ctx.fromBuffer(tensor.buffer as GPUBuffer, tensor.shape);
      const actual = await numbers(raw);
      const rowOf = rows.get(tensor) ?? rowsAt(layout);
      const good = (_: number, i: number): boolean => !isStray[rowOf(i)];
      const what = k === 0 ? 'loss' : 'grad';
      sameBits(actual.filter(good), (expected[k] as Float32Array).filter(good), `${what} of the other rows`);
      const strays = actual.filter((value, i) => !good(value, i));
      assert(strays.every(Number.isNaN), `${what} of a row with a target out of range is not NaN`);
    }
  });
}

function rowsAt({ classes, inner }: Layout): (i: number) => number {
  return (i) => Math.floor(i / (classes * inner)) * inner + (i % inner);
}
