// Where elements lie: every element of a result is written and none beside it, rows may be padded and start anywhere, and any axis
// may hold the classes.

import {
  type Context,
  crossEntropy,
  klDivergence,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  logSumExpGrad,
  softmax,
  softmaxGrad,
  type Tensor,
} from '../../src/index.js';
import { assert, check, equal, gpuCheck, type Keep, sameBits, show, wordsOf } from './assert.js';
import type { Check, Env } from './check.js';
import { bitsOf, COPY_DST, COPY_SRC, contextOn, foreignBuffer, STORAGE } from './device.js';

/** Layouts of tensors: guard bands, paddings, offsets, axes. */
export function layoutChecks(): Check[] {
  return [...guardChecks(), ...paddingChecks(), ...readChecks(), ...axisChecks()];
}

/** Finite, of moderate size, different in every place. */
function values(count: number, seed = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => 3 * Math.sin((i + 1) * (seed + 0.618)));
}

/** What an op is called with: how a matrix of the logits' shape and one value a row become tensors is the caller's. */
interface Making {
  readonly ctx: Context;
  readonly axis: number;
  readonly rows: number;
  readonly classes: number;
  /** A tensor of the logits' shape; the same seed gives the same values. `role` is what the op calls it. */
  matrix(seed: number): Tensor;
  /** One value a row. */
  vector(data: Float32Array | Int32Array): Tensor;
  keep: Keep;
}

/** Results by name: of the logits' shape, one a row, or one. */
type Results = Readonly<Record<string, Tensor>>;

const indices = ({ rows, classes }: Making): Int32Array =>
  Int32Array.from({ length: rows }, (_, r) => (r === 1 ? -100 : (r * 7) % classes));

/** Every op with every result it can have. */
const OPS: Readonly<Record<string, (making: Making) => Promise<Results>>> = {
  softmax: async ({ axis, matrix }) => ({ output: await softmax(matrix(1), { axis }) }),
  logSoftmax: async ({ axis, matrix }) => ({ output: await logSoftmax(matrix(1), { axis }) }),
  logSumExp: async ({ axis, matrix }) => ({ output: await logSumExp(matrix(1), { axis }) }),
  softmaxGrad: async ({ axis, matrix }) => ({ grad: await softmaxGrad(matrix(1), matrix(2), { axis }) }),
  logSoftmaxGrad: async ({ axis, matrix }) => ({
    grad: await logSoftmaxGrad(matrix(1), matrix(2), { axis }),
  }),
  logSumExpGrad: async ({ axis, matrix, vector, rows }) => ({
    grad: await logSumExpGrad(matrix(1), vector(values(rows, 3).map((x) => x + 5)), vector(values(rows, 4)), {
      axis,
    }),
  }),
  'crossEntropy, class indices': async (making) => {
    const { axis, matrix, vector } = making;
    const targets = vector(indices(making));
    return {
      ...(await crossEntropy(matrix(1), targets, {
        axis,
        grad: true,
        returnLogSumExp: true,
        reduction: 'none',
      })),
    };
  },
  'crossEntropy, a mean': async (making) => {
    const { axis, matrix, vector } = making;
    return { ...(await crossEntropy(matrix(1), vector(indices(making)), { axis, grad: true })) };
  },
  'crossEntropy, probabilities': async ({ axis, matrix }) => ({
    ...(await crossEntropy(matrix(1), matrix(2), {
      axis,
      grad: true,
      returnLogSumExp: true,
      reduction: 'none',
    })),
  }),
  'klDivergence, logits': async ({ axis, matrix }) => ({
    ...(await klDivergence(matrix(1), matrix(2), { axis, target: 'logits', grad: true, reduction: 'none' })),
  }),
  'klDivergence, log-probabilities': async ({ axis, matrix }) => ({
    ...(await klDivergence(matrix(1), matrix(2), { axis, target: 'logProbs', grad: true })),
  }),
};

/** An op on dense tensors with the classes last. */
function dense(ctx: Context, keep: Keep, shape: readonly number[]): Making {
  const classes = shape.at(-1) as number;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  return {
    ctx,
    keep,
    rows,
    classes,
    axis: -1,
    matrix: (seed) => keep(ctx.tensor(values(rows * classes, seed), shape)),
    vector: (data) => keep(ctx.tensor(data, shape.slice(0, -1))),
  };
}

function keepAll(keep: Keep, results: Results): Results {
  for (const tensor of Object.values(results)) keep(tensor);
  return results;
}

// ---- guard bands

/** A NaN that no computation gives. */
export const SENTINEL = 0x7fc0beef;
export const GUARD_WORDS = 16;

/** A context whose buffers all have a guard band behind them, and hold nothing but sentinels at first: also its scratch. */
export function guarded(env: Env): Promise<Context> {
  return contextOn(env, {
    createBuffer: (own) => (descriptor) => {
      if ((descriptor.usage & STORAGE) === 0) return own(descriptor);
      const { label = '', size, usage } = descriptor;
      const buffer = own({ label, usage, size: size + GUARD_WORDS * 4, mappedAtCreation: true });
      new Uint32Array(buffer.getMappedRange()).fill(SENTINEL);
      buffer.unmap();
      return buffer;
    },
  });
}

const GUARDED_SHAPES: readonly (readonly [rows: number, classes: number])[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 255, 256, 257].map((classes) => [3, classes] as const),
  // Written in groups of four, which the rows share.
  [4, 1027],
];

function guardChecks(): Check[] {
  return Object.entries(OPS).map(([name, run]) =>
    gpuCheck(
      `layouts: all of a result is written, and nothing beside it: ${name}`,
      async (env, keep, device) => {
        const ctx = keep(await guarded(env));
        for (const shape of GUARDED_SHAPES) {
          const [, classes] = shape;
          const results = keepAll(keep, await run(dense(ctx, keep, shape)));
          for (const [role, tensor] of Object.entries(results)) {
            const what = `${role} of ${classes} classes`;
            const length = tensor.shape.reduce((product, size) => product * size, 1);
            const bits = await bitsOf(device, tensor.buffer as GPUBuffer);
            assert(bits.length >= length + GUARD_WORDS, `${what}: no guard band`);
            const result = new Float32Array(bits.buffer, 0, length);
            // The inputs are finite, and so is every result: a NaN was there before.
            equal(result.findIndex(Number.isNaN), -1, `${what}: the element that was not written`);
            const touched = bits.subarray(length).findIndex((word) => word !== SENTINEL);
            equal(touched, -1, `${what}: the word behind the result that was written`);
          }
        }
      },
    ),
  );
}

// ---- padded rows, offsets

/** Into a padding: values that must not have any influence. */
const PADDINGS = [Number.NaN, Number.POSITIVE_INFINITY, 3e38, Number.NEGATIVE_INFINITY];

/** `data` row by row in a buffer of the caller's own, padded, from byte `byteOffset`; the words around it are hostile as well. */
export function paddedBuffer(
  device: GPUDevice,
  data: Float32Array,
  classes: number,
  rowStride: number,
  byteOffset: number,
): GPUBuffer {
  const first = byteOffset / 4;
  const rows = data.length / classes;
  const all = Float32Array.from(
    { length: first + rows * rowStride + 9 },
    (_, i) => PADDINGS[i % PADDINGS.length] as number,
  );
  for (let r = 0; r < rows; r++)
    all.set(data.subarray(r * classes, (r + 1) * classes), first + r * rowStride);
  return foreignBuffer(device, all);
}

/** The same op on tensors in padded, shifted buffers. */
function padded(making: Making, device: GPUDevice, rowStride: number, byteOffset: number): Making {
  const { ctx, keep, rows, classes } = making;
  return {
    ...making,
    matrix: (seed) => {
      const buffer = keep(paddedBuffer(device, values(rows * classes, seed), classes, rowStride, byteOffset));
      return keep(ctx.fromBuffer(buffer, [rows, classes], { rowStride, byteOffset }));
    },
    vector: (data) => {
      const words = new Uint32Array(byteOffset / 4 + rows + 3).fill(SENTINEL);
      words.set(wordsOf(data), byteOffset / 4);
      const dtype = data instanceof Int32Array ? 'i32' : 'f32';
      return keep(ctx.fromBuffer(keep(foreignBuffer(device, words)), [rows], { dtype, byteOffset }));
    },
  };
}

const PLACES: readonly [classes: number, rowStride: number, byteOffset: number][] = [
  ...[0, 4, 8, 12, 16, 252, 260].map((offset): [number, number, number] => [5, 7, offset]),
  ...[4, 16, 260, 272].map((offset): [number, number, number] => [8, 12, offset]),
  [8, 8, 4],
  [8, 9, 0],
  [40, 41, 8],
  [40, 44, 256],
  [64, 64, 12],
  [1, 3, 4],
];

function paddingChecks(): Check[] {
  return [
    ...Object.entries(OPS).map(([name, run]) =>
      gpuCheck(`layouts: padded rows from any byte: ${name}`, async ({ ctx }, keep, device) => {
        for (const [classes, rowStride, byteOffset] of PLACES) {
          const making = dense(ctx, keep, [3, classes]);
          const expected = keepAll(keep, await run(making));
          const results = keepAll(keep, await run(padded(making, device, rowStride, byteOffset)));
          for (const [role, tensor] of Object.entries(results)) {
            const what = `${role} of ${classes} classes, ${rowStride} apart, from byte ${byteOffset}`;
            equal(tensor.rowStride, tensor.shape.at(-1) ?? 1, `${what}: the result's own rowStride`);
            sameBits(await tensor.read(), await (expected[role] as Tensor).read(), what);
          }
        }
      }),
    ),
    gpuCheck('layouts: in place in padded rows', async ({ ctx }, keep, device) => {
      for (const [classes, rowStride, byteOffset] of PLACES) {
        const what = `${classes} classes, ${rowStride} apart, from byte ${byteOffset}`;
        const data = values(3 * classes);
        const buffer = keep(paddedBuffer(device, data, classes, rowStride, byteOffset));
        const before = await bitsOf(device, buffer);
        const logits = keep(ctx.fromBuffer(buffer, [3, classes], { rowStride, byteOffset }));
        const targets = Int32Array.from([0, classes - 1, -100]);
        const expected = await crossEntropy(keep(ctx.tensor(data, [3, classes])), targets, { grad: true });
        keep(expected.loss);
        const { loss, grad } = await crossEntropy(logits, targets, { grad: 'in-place' });
        sameBits(await keep(loss).read(), await expected.loss.read(), `the loss of ${what}`);
        const right = await keep(expected.grad as Tensor).read();
        sameBits(await (grad as Tensor).read(), right, `the gradient of ${what}`);
        // Around the rows, everything is as it was.
        const words = wordsOf(right);
        for (let r = 0; r < 3; r++) {
          before.set(words.subarray(r * classes, (r + 1) * classes), byteOffset / 4 + r * rowStride);
        }
        sameBits(await bitsOf(device, buffer), before, `the whole buffer of ${what}`);
      }
    }),
  ];
}

// ---- read

function readChecks(): Check[] {
  return [
    gpuCheck('layouts: read() of padded rows is dense', async ({ ctx }, keep, device) => {
      for (const [shape, rowStride] of [
        [[3, 5], 8],
        [[2, 2, 3], 4],
        [[4], 9],
        [[1, 1], 2],
      ] as const) {
        const length = shape.at(-1) as number;
        const rows = shape.reduce((product: number, size) => product * size, 1) / length;
        for (const byteOffset of [0, 4, 260]) {
          const words = Uint32Array.from({ length: byteOffset / 4 + rows * rowStride }, (_, i) => 1000 + i);
          const buffer = keep(foreignBuffer(device, words));
          for (const [dtype, kind] of [
            ['f32', Float32Array],
            ['i32', Int32Array],
            ['u32', Uint32Array],
          ] as const) {
            const tensor = keep(ctx.fromBuffer(buffer, shape, { dtype, rowStride, byteOffset }));
            const got = await tensor.read();
            const what = `${dtype} ${show([...shape])}, ${rowStride} apart, from byte ${byteOffset}`;
            assert(got instanceof kind, `${what}: read() gave a ${got.constructor.name}`);
            const right = Uint32Array.from(
              { length: rows * length },
              (_, i) => 1000 + byteOffset / 4 + Math.floor(i / length) * rowStride + (i % length),
            );
            sameBits(got, right, what);
          }
        }
      }
    }),
    gpuCheck('layouts: a buffer that ends with its last row', async ({ ctx }, keep, device) => {
      // The last row has no padding behind it.
      const words = Float32Array.from({ length: 2 * 7 + 5 }, (_, i) => (i % 7 < 5 ? i : Number.NaN));
      const tensor = keep(ctx.fromBuffer(keep(foreignBuffer(device, words)), [3, 5], { rowStride: 7 }));
      const right = Float32Array.from({ length: 15 }, (_, i) => Math.floor(i / 5) * 7 + (i % 5));
      sameBits(await tensor.read(), right, 'read()');
      const copy = keep(ctx.tensor(right, [3, 5]));
      sameBits(await keep(await softmax(tensor)).read(), await keep(await softmax(copy)).read(), 'softmax');
    }),
    gpuCheck('layouts: a foreign buffer is neither copied nor destroyed', async ({ ctx }, keep, device) => {
      const buffer = keep(device.createBuffer({ size: 256, usage: STORAGE | COPY_SRC | COPY_DST }));
      const tensor = ctx.fromBuffer(buffer, [4], { byteOffset: 16 });
      equal(tensor.buffer, buffer, 'the buffer');
      equal(tensor.byteOffset, 16, 'byteOffset');
      device.queue.writeBuffer(buffer, 16, Float32Array.of(1, 2, 3, 4));
      sameBits(await tensor.read(), Float32Array.of(1, 2, 3, 4), 'what was written to the buffer');
      tensor.write(Float32Array.of(5, 6, 7, 8));
      tensor.destroy();
      const bits = await bitsOf(device, buffer);
      sameBits(
        bits.subarray(3, 9),
        new Uint32Array([0, ...wordsOf(Float32Array.of(5, 6, 7, 8)), 0]),
        'the buffer after destroy()',
      );
    }),
    check('layouts: what goes in comes out', async ({ ctx }, keep) => {
      for (const shape of [[], [1], [0], [3], [2, 0, 3], [2, 3, 5]]) {
        const count = shape.reduce((product, size) => product * size, 1);
        const words = Uint32Array.from({ length: count }, (_, i) => (i * 0x9e3779b1) >>> 0);
        for (const kind of [Float32Array, Int32Array, Uint32Array]) {
          // A view that does not start with its buffer, of every bit pattern.
          const data = new kind(new Uint32Array([7, ...words, 7]).buffer, 4, count);
          const tensor = keep(ctx.tensor(data, shape));
          equal(show([...tensor.shape]), show(shape), 'the shape');
          data.fill(0);
          const got = await tensor.read();
          assert(got instanceof kind, `read() gave a ${got.constructor.name}`);
          sameBits(got, words, `${kind.name} of ${show(shape)}`);
          got.fill(1);
          sameBits(await tensor.read(), words, 'a second read, after the first was overwritten');
        }
      }
    }),
  ];
}

// ---- axes

/** `[2, 3, 5]` with the axis 0 last is `[3, 5, 2]`. */
function axisLast(shape: readonly number[], axis: number): number[] {
  return [...shape.filter((_, i) => i !== axis), shape[axis] as number];
}

/** The place that element `i` of an array with the class axis last has in an array of `shape` with the class axis `axis`. */
function placeOf(i: number, shape: readonly number[], axis: number): number {
  const classes = shape[axis] as number;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const [row, c] = [Math.floor(i / classes), i % classes];
  return Math.floor(row / inner) * classes * inner + c * inner + (row % inner);
}

const AXES: readonly [shape: readonly number[], axis: number][] = [
  [[5, 3], 0],
  [[3, 5, 7], 0],
  [[3, 5, 7], 1],
  [[3, 5, 7], -2],
  [[3, 5, 7], -3],
  [[2, 3, 1, 5], 1],
  [[37, 3], -2],
  [[2, 33, 17], 1],
];

function axisChecks(): Check[] {
  return Object.entries(OPS).map(([name, run]) =>
    check(`layouts: any axis: ${name}`, async ({ ctx, ledger }, keep) => {
      for (const [shape, axis] of AXES) {
        const at = axis < 0 ? axis + shape.length : axis;
        const last = axisLast(shape, at);
        const straight = dense(ctx, keep, last);
        const perRow = last.slice(0, -1);
        const turned: Making = {
          ...straight,
          axis,
          matrix: (seed) => {
            const source = values(straight.rows * straight.classes, seed);
            const data = new Float32Array(source.length);
            source.forEach((x, i) => {
              data[placeOf(i, shape, at)] = x;
            });
            return keep(ctx.tensor(data, shape));
          },
        };
        const expected = keepAll(keep, await run(straight));
        const results = keepAll(keep, await run(turned));
        for (const [role, tensor] of Object.entries(results)) {
          const what = `${name}, ${role} of ${show([...shape])}, axis ${axis}`;
          const isMatrix = tensor.shape.length === shape.length;
          const rightShape = isMatrix ? shape : tensor.shape.length === 0 ? [] : perRow;
          equal(show([...tensor.shape]), show([...rightShape]), `${what}: the shape`);
          const [actual, right] = await Promise.all([tensor.read(), (expected[role] as Tensor).read()]);
          equal(actual.length, right.length, `${what}: the length`);
          // Another axis may be summed in another order, no more.
          right.forEach((x, i) => {
            const value = actual[isMatrix ? placeOf(i, shape, at) : i] as number;
            ledger.check(
              'one axis and another',
              value,
              x,
              2e-6 * (1 + 3 * straight.classes ** 0.5 * Math.abs(x)),
              () => `${what}, ${i}`,
            );
          });
        }
      }
    }),
  );
}
