// 16-bit floats: every bit pattern in and out, the golden cases on rounded inputs, and words that two rows share.

import { decodeHalf, encodeHalf } from '../../src/half.js';
import {
  binaryCrossEntropy,
  type Context,
  crossEntropy,
  entropy,
  InvalidArgumentError,
  logSoftmaxGrad,
  logSumExp,
  nllLoss,
  type Policy,
  planCrossEntropy,
  planSoftmax,
  softmax,
  type Tensor,
} from '../../src/index.js';
import type { Golden } from '../support/golden.js';
import { type Attempt, assert, check, equal, gpuCheck, type Keep, refusesAll, sameBits } from './assert.js';
import type { Check, Env } from './check.js';
import { hasValues } from './contract.js';
import { bitsOf, foreignBuffer } from './device.js';
import { makeBatch, type Results, runRows, sameResults } from './everyOp.js';
import { GOLDEN_RUNNERS } from './golden.js';
import { MORE_GOLDEN_RUNNERS } from './goldenMore.js';
import { HALVES, type Half, quantised } from './quantised.js';
import { numbers } from './tensors.js';

const PATTERNS = 0x10000;
/** Below it a float32 is subnormal and may be flushed. */
const LEAST_NORMAL = 2 ** -126;

export function halfChecks(): Check[] {
  return [
    ...HALVES.flatMap(conversionChecks),
    // One type here, the other there: they differ in the conversion alone, which is checked above.
    ...SHAPES.map((entry, i) => sameAsRounded(i % 2 === 0 ? 'f16' : 'bf16', ...entry)),
    ...tensorChecks(),
    ...foreignChecks(),
    ...planChecks(),
  ];
}

// ---- conversions

/** How the bits of one value a row lie: by themselves, in groups of four, or with the rows along the last axis. */
const LAYOUTS: readonly { readonly name: string; readonly width: number; readonly axis: number }[] = [
  { name: 'alone', width: 1, axis: -1 },
  { name: 'in fours', width: 4, axis: -1 },
  { name: 'in sevens', width: 7, axis: -1 },
  { name: 'along the rows', width: 3, axis: 0 },
];

function conversionChecks(dtype: Half): Check[] {
  return [
    ...LAYOUTS.map((layout) =>
      check(`halves: every ${dtype} is read as what it stands for, ${layout.name}`, (env, keep) =>
        readEvery(env, keep, dtype, layout),
      ),
    ),
    ...LAYOUTS.map((layout) =>
      check(`halves: results are rounded to the nearest ${dtype}, ${layout.name}`, (env, keep) =>
        roundEvery(env, keep, dtype, layout),
      ),
    ),
  ];
}

/** Each row holds one value, all over the places of a row, among fillers. */
function spread<T extends Uint16Array | Float32Array>(
  data: T,
  values: ArrayLike<number>,
  filler: number,
  { width, axis }: { readonly width: number; readonly axis: number },
): T {
  data.fill(filler);
  const rows = values.length;
  for (let r = 0; r < rows; r++) data[indexOf(r, rows, width, axis)] = values[r] as number;
  return data;
}

function indexOf(r: number, rows: number, width: number, axis: number): number {
  const place = r % width;
  return axis === 0 ? place * rows + r : r * width + place;
}

/** The log-sum-exp of one logit among masked ones is that logit. */
async function readEvery(
  { ctx, target }: Env,
  keep: Keep,
  dtype: Half,
  layout: (typeof LAYOUTS)[number],
): Promise<void> {
  const { width, axis } = layout;
  const masked = encodeHalf(dtype, [Number.NEGATIVE_INFINITY])[0] as number;
  const bits = Uint16Array.from({ length: PATTERNS }, (_, i) => i);
  const data = spread(new Uint16Array(PATTERNS * width), bits, masked, layout);
  const shape = axis === 0 ? [width, PATTERNS] : [PATTERNS, width];
  const logits = keep(ctx.tensor(data, shape, dtype));
  const lse = await numbers(keep(await logSumExp(logits, { axis })));
  const expected = decodeHalf(dtype, bits);
  for (let i = 0; i < PATTERNS; i++) {
    const [a, e] = [lse[i] as number, expected[i] as number];
    const flushed = Math.abs(e) < LEAST_NORMAL && a === 0;
    assert(
      Object.is(a, e) || a === e || flushed,
      `${target}: bits ${i.toString(16)} are read as ${a}, not ${e}`,
    );
  }
}

/** Where rounding decides: each number, the middle to the next, and the float32 numbers on both sides of that. */
function decisions(dtype: Half): Float32Array<ArrayBuffer> {
  const infinity = encodeHalf(dtype, [Number.POSITIVE_INFINITY])[0] as number;
  const numbers = decodeHalf(
    dtype,
    Uint16Array.from({ length: infinity }, (_, i) => i),
  );
  const overflow = dtype === 'f16' ? 65536 : 2 ** 128;
  const values: number[] = [];
  numbers.forEach((value, i) => {
    const middle = (value + (numbers[i + 1] ?? overflow)) / 2;
    for (const x of [value, middle, middle * (1 - 2 ** -23), middle * (1 + 2 ** -23)]) {
      const single = Math.fround(x);
      if (single >= LEAST_NORMAL && single < 2 ** 128)
        values.push(values.length % 2 === 0 ? single : -single);
    }
  });
  return Float32Array.from(values);
}

/** The gradient of log-softmax at a masked class is the upstream gradient itself. */
async function roundEvery(
  { ctx }: Env,
  keep: Keep,
  dtype: Half,
  layout: (typeof LAYOUTS)[number],
): Promise<void> {
  const { width, axis } = layout;
  const values = decisions(dtype);
  const rows = values.length;
  assert(rows > 4 * 30_000, 'too few values');
  const masked = encodeHalf(dtype, [Number.NEGATIVE_INFINITY])[0] as number;
  const shape = axis === 0 ? [width, rows] : [rows, width];
  const logProbs = keep(ctx.tensor(new Uint16Array(rows * width).fill(masked), shape, dtype));
  const upstream = spread(new Float32Array(rows * width), values, 0, layout);
  const grad = keep(await logSoftmaxGrad(logProbs, keep(ctx.tensor(upstream, shape)), { axis }));
  equal(grad.dtype, dtype, 'the dtype of the gradient');
  const expected = decodeHalf(dtype, encodeHalf(dtype, upstream));
  const actual = await numbers(grad);
  const at = actual.findIndex((value, i) => value !== expected[i]);
  if (at >= 0) throw new Error(`${upstream[at]} is rounded to ${actual[at]}, not ${expected[at]}`);
}

// ---- the same as in 32 bits, but for the rounding of the results

const SMALL_SPLIT: Partial<Policy> = { strategy: 'split-row', workgroupSize: 8, segment: 128 };

/** Odd numbers of classes: every other row begins in the middle of a word, which another row ends in. */
const SHAPES: readonly [rows: number, classes: number, policy: Partial<Policy>][] = [
  [1001, 7, { strategy: 'row-per-thread' }],
  [21, 1501, { strategy: 'row-per-workgroup', workgroupSize: 64 }],
  [33, 301, SMALL_SPLIT],
  [33, 300, SMALL_SPLIT],
];

/** On the CPU not: there results are rounded once, from float64. */
function sameAsRounded(dtype: Half, rows: number, classes: number, policy: Partial<Policy>): Check {
  const name = `halves: ${dtype} gives the bits of f32, rounded, [${rows}, ${classes}] ${policy.strategy}`;
  return gpuCheck(name, async ({ ctx }, keep) => {
    const batch = makeBatch(rows, classes, 11, dtype);
    const wide = await runRows(ctx, { ...batch, dtype: 'f32' }, policy);
    const narrow = await runRows(ctx, batch, policy);
    sameResults(narrow, roundedMatrices(wide, rows, dtype), name);
    // The others, and the classes along the first axis.
    for (const axis of [-1, 0]) {
      const run = (storage: Half | 'f32') => moreOps(ctx, keep, batch, axis, storage, policy);
      sameResults(await run(dtype), roundedMatrices(await run('f32'), rows, dtype), `${name}, axis ${axis}`);
    }
  });
}

/** Results of one value a row stay in 32 bits. */
function roundedMatrices(results: Results, rows: number, dtype: Half): Results {
  return Object.fromEntries(
    Object.entries(results)
      // Made from the rounded log-probabilities.
      .filter(([name]) => name !== 'logSoftmaxGrad')
      .map(([name, values]) => {
        const isMatrix = values.length > rows && !name.endsWith('Losses') && !name.startsWith('stats');
        return [name, isMatrix ? decodeHalf(dtype, encodeHalf(dtype, values)) : values];
      }),
  );
}

async function moreOps(
  ctx: Context,
  keep: Keep,
  { rows, classes, logits, targets, probs }: ReturnType<typeof makeBatch>,
  axis: number,
  dtype: Half | 'f32',
  policy: Partial<Policy>,
): Promise<Results> {
  const shape = axis === 0 ? [classes, rows] : [rows, classes];
  const x = keep(ctx.tensor(logits, shape, dtype));
  const t = keep(ctx.tensor(probs, shape, dtype));
  const common = { policy, reduction: 'none', grad: true } as const;
  const nll = await nllLoss(x, targets, { ...common, axis });
  const h = await entropy(x, { ...common, axis });
  const dense = await crossEntropy(x, t, { ...common, axis, softcap: 20, temperature: 2 });
  const binary = await binaryCrossEntropy(x, t, common);
  const inPlace = await crossEntropy(keep(ctx.tensor(logits, shape, dtype)), targets, {
    ...common,
    axis,
    grad: 'in-place',
    zLoss: 0.01,
  });
  const results: Record<string, Tensor | undefined> = {
    softmax: await softmax(x, { policy, axis }),
    nll: nll.loss,
    nllGrad: nll.grad,
    entropy: h.entropy,
    entropyGrad: h.grad,
    dense: dense.loss,
    denseGrad: dense.grad,
    denseTargetGrad: dense.gradTargets,
    binaryLosses: binary.loss,
    binaryGrad: binary.grad,
    binaryTargetGrad: binary.gradTargets,
    inPlace: inPlace.loss,
    inPlaceGrad: inPlace.grad,
  };
  const values: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(results)) values[name] = await numbers(keep(tensor as Tensor));
  return values;
}

// ---- tensors

function tensorChecks(): Check[] {
  return [
    check('halves: tensors from bits, from float32 and back', async ({ ctx }, keep) => {
      const bits = Uint16Array.of(0x3c00, 0xc000, 0x7c00, 0x0001, 0x7bff);
      const half = keep(ctx.tensor(bits, [5], 'f16'));
      equal(half.dtype, 'f16', 'the dtype');
      sameBits(
        await half.read(),
        Float32Array.of(1, -2, Number.POSITIVE_INFINITY, 2 ** -24, 65504),
        'f16 bits',
      );
      const brain = keep(ctx.tensor(Uint16Array.of(0x3f80, 0xc000, 0x7f80), [3], 'bf16'));
      sameBits(await brain.read(), Float32Array.of(1, -2, Number.POSITIVE_INFINITY), 'bf16 bits');
      const rounded = keep(ctx.tensor(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38), [3], 'bf16'));
      sameBits(
        await rounded.read(),
        Float32Array.of(1, 1 + 2 ** -6, Number.POSITIVE_INFINITY),
        'rounded to even, and to infinity',
      );
      half.write(Uint16Array.of(0, 0, 0x3c00, 0, 0));
      sameBits(await half.read(), Float32Array.of(0, 0, 1, 0, 0), 'f16 bits written');
      half.write(Float32Array.of(0, 0, 0, 0, 65520));
      sameBits(
        await half.read(),
        Float32Array.of(0, 0, 0, 0, Number.POSITIVE_INFINITY),
        'float32 values written',
      );
      const empty = keep(ctx.tensor(new Uint16Array(0), [0, 3], 'f16'));
      equal((await empty.read()).length, 0, 'elements of an empty tensor');
      const { Float16Array } = globalThis as { Float16Array?: { from(values: number[]): Uint16Array } };
      if (Float16Array === undefined) return;
      const own = keep(ctx.tensor(Float16Array.from([1, -2]), [2]));
      equal(own.dtype, 'f16', 'the dtype of a Float16Array');
      sameBits(await own.read(), Float32Array.of(1, -2), 'a Float16Array');
    }),
    check('halves: what does not fit is refused', async ({ ctx }, keep) => {
      const bits = new Uint16Array(6);
      const half = keep(ctx.tensor(bits, [2, 3], 'f16'));
      const throwing: Attempt[] = [
        ['bits without a dtype', () => ctx.tensor(bits, [6]), /Uint16Array.*'f16' or 'bf16'/],
        ['bits as f32', () => ctx.tensor(bits, [6], 'f32'), /16-bit.*Uint16Array.*'f32'/],
        ['integers as f16', () => ctx.tensor(new Int32Array(6), [6], 'f16'), /i32.*Int32Array.*'f16'/],
        ['f64', () => ctx.tensor(bits, [6], 'f64' as never), /'f64' is unknown.*bf16/],
        ['too many bits', () => ctx.tensor(bits, [5], 'bf16'), /\[5\].*5 elements.*6/],
        ['too few written', () => half.write(new Uint16Array(5)), /6 elements of f16, data has 5/],
        ['integers written', () => half.write(new Uint32Array(6)), /Uint32Array.*'f16'/],
      ];
      await refusesAll(InvalidArgumentError, 'throws', throwing);
      const x = keep(ctx.tensor(new Float32Array(6), [2, 3]));
      const rejecting: Attempt[] = [
        ['bits as targets', () => crossEntropy(x, bits as never), /Uint16Array.*make a tensor/],
        [
          'class weights in 16 bits',
          () =>
            crossEntropy(x, Int32Array.of(0, 1), {
              weight: keep(ctx.tensor(new Uint16Array(3), [3], 'bf16')),
            }),
          /weight is bf16; f32 is needed/,
        ],
        [
          'an upstream gradient of losses in 16 bits',
          () =>
            crossEntropy(x, Int32Array.of(0, 1), {
              reduction: 'none',
              gradOutput: keep(ctx.tensor(new Uint16Array(2), [2], 'f16')),
            }),
          /gradOutput is f16; f32 is needed/,
        ],
        [
          'a plan with probabilities of integers',
          () => planCrossEntropy(ctx, { shape: [2, 3], targets: 'probs', targetDtype: 'i32' }),
          /targetDtype is 'i32'.*'f16'/,
        ],
        [
          'a plan with indices of floats',
          () => planCrossEntropy(ctx, { shape: [2, 3], targets: 'index', targetDtype: 'f16' }),
          /targetDtype is 'f16'.*'u32'/,
        ],
      ];
      await refusesAll(InvalidArgumentError, 'rejects', rejecting);
    }),
  ];
}

/** Tensors in a caller's buffer that begin and end in the middle of a word. */
function foreignChecks(): Check[] {
  return HALVES.map((dtype) =>
    gpuCheck(`halves: ${dtype} in the caller's buffer, from any even byte`, async ({ ctx }, keep, device) => {
      const [rows, classes, rowStride] = [5, 3, 7];
      const batch = makeBatch(rows, classes, 3, dtype);
      const expected = await moreOps(ctx, keep, batch, -1, dtype, {});
      const bits = encodeHalf(dtype, batch.logits);
      for (const byteOffset of [0, 2, 4, 6, 258]) {
        const first = byteOffset / 2;
        const words = new Uint16Array(first + rows * rowStride + 16).fill(0xabcd);
        const place = (i: number): number => first + Math.floor(i / classes) * rowStride + (i % classes);
        bits.forEach((value, i) => {
          words[place(i)] = value;
        });
        const even = words.subarray(0, words.length - (words.length % 2));
        const buffer = keep(foreignBuffer(device, even));
        const options = { dtype, byteOffset, rowStride } as const;
        const logits = keep(ctx.fromBuffer(buffer, [rows, classes], options));
        sameBits(await logits.read(), batch.logits, `read from byte ${byteOffset}`);
        const output = keep(await softmax(logits));
        sameBits(await output.read(), expected['softmax'] as Float32Array, `softmax from byte ${byteOffset}`);
        const { loss, grad } = await crossEntropy(logits, batch.targets, {
          grad: 'in-place',
          reduction: 'none',
          zLoss: 0.01,
        });
        sameBits(
          await keep(loss).read(),
          expected['inPlace'] as Float32Array,
          `loss from byte ${byteOffset}`,
        );
        sameBits(
          await (grad as Tensor).read(),
          expected['inPlaceGrad'] as Float32Array,
          `gradient from byte ${byteOffset}`,
        );
        // What lies between and around the rows is untouched.
        const after = new Uint16Array((await bitsOf(device, buffer)).buffer);
        const own = new Set(bits.map((_, i) => place(i)));
        const touched = after.findIndex((value, i) => !own.has(i) && value !== even[i]);
        equal(touched, -1, `the element beside the rows that was written, from byte ${byteOffset}`);
      }
      const small = keep(foreignBuffer(device, new Uint32Array(3)));
      const attempts: Attempt[] = [
        [
          'an odd byte',
          () => ctx.fromBuffer(small, [2], { dtype, byteOffset: 1 }),
          /byteOffset is 1.*multiple of 2/,
        ],
        [
          'past the end',
          () => ctx.fromBuffer(small, [6], { dtype, byteOffset: 2 }),
          /needs 14 bytes.*has 12/,
        ],
        [
          'writing half a word',
          () => keep(ctx.fromBuffer(small, [3], { dtype })).write(new Uint16Array(3)),
          /whole words/,
        ],
      ];
      await refusesAll(InvalidArgumentError, 'throws', attempts);
    }),
  );
}

// ---- plans

function planChecks(): Check[] {
  return HALVES.map((dtype) =>
    check(`halves: plans in ${dtype} give what the calls give`, async ({ ctx }, keep) => {
      const shape = [9, 35];
      const batch = makeBatch(9, 35, 5, dtype);
      const logits = keep(ctx.tensor(batch.logits, shape, dtype));
      const probs = keep(ctx.tensor(batch.probs, shape, dtype));
      const zeros = (of: readonly number[], type: Half | 'f32'): Tensor =>
        keep(ctx.tensor(new Float32Array(of.reduce((product, size) => product * size, 1)), of, type));
      const run = async <B extends object>(
        plan: { encode(encoder: GPUCommandEncoder | undefined, bindings: B): void; destroy(): void },
        bindings: B,
      ): Promise<void> => {
        const encoder = ctx.device?.createCommandEncoder();
        plan.encode(encoder, bindings);
        if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
        plan.destroy();
      };

      const output = zeros(shape, dtype);
      await run(await planSoftmax(ctx, { shape, dtype }), { logits, output });
      sameBits(await output.read(), await keep(await softmax(logits)).read(), 'softmax');

      const [loss, grad, gradTargets] = [zeros([], 'f32'), zeros(shape, dtype), zeros(shape, dtype)];
      const options = { shape, dtype, targets: 'probs', grad: true, gradTargets: true } as const;
      await run(await planCrossEntropy(ctx, options), { logits, targets: probs, loss, grad, gradTargets });
      const called = await crossEntropy(logits, probs, { grad: true });
      for (const tensor of Object.values(called)) keep(tensor as Tensor);
      sameBits(await loss.read(), await called.loss.read(), 'loss');
      sameBits(await grad.read(), await (called.grad as Tensor).read(), 'gradient');
      sameBits(await gradTargets.read(), await (called.gradTargets as Tensor).read(), 'target gradient');
    }),
  );
}

// ---- golden cases

/** One check for each golden case that has values, and type. */
export function goldenHalfChecks(golden: Golden): Check[] {
  return HALVES.flatMap((dtype) => goldenHalves(golden, dtype));
}

function goldenHalves(golden: Golden, dtype: Half): Check[] {
  const runners = { ...GOLDEN_RUNNERS, ...MORE_GOLDEN_RUNNERS };
  return golden.cases.flatMap((entry) => {
    const run = runners[entry.op];
    if (!run || !hasValues(entry)) return [];
    return [
      {
        name: `golden ${dtype} ${entry.op} ${entry.name}`,
        run: async (env: Env) => {
          const made = quantised(entry, dtype);
          if (!made) throw new Error(`${entry.name}: no oracle`);
          await run(made, env);
        },
      },
    ];
  });
}
