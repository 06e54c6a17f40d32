// Long rows that are no whole numbers of groups of four, in a matrix that is: their elements are written in groups of the matrix, of which
// two rows share some. What is special about a row must not reach its neighbour through such a group.

import type { FloatDType } from '../../src/dtype.js';
import {
  type Context,
  crossEntropy,
  entropy,
  InvalidArgumentError,
  klDivergence,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  logSumExpGrad,
  nllLoss,
  type Policy,
  planSoftmax,
  softmax,
  softmaxGrad,
  type Tensor,
  type TypedArray,
} from '../../src/index.js';
import { assert, equal, gpuCheck, refusesAll, sameBits, show } from './assert.js';
import type { Check } from './check.js';
import { normals } from './data.js';
import { COPY_DST, COPY_SRC, STORAGE } from './device.js';
import { comparable, withTensors } from './tensors.js';

/** One for each strategy, with as many classes in the last group of the first row as the number says. */
const CASES: readonly (readonly [last: number, policy: Partial<Policy>, dtype?: FloatDType])[] = [
  [1, { strategy: 'row-per-thread' }],
  [2, { strategy: 'row-per-workgroup', workgroupSize: 8, kept: false }],
  [3, { strategy: 'split-row', workgroupSize: 8, segment: 128 }],
  [1, { strategy: 'split-row', workgroupSize: 8, segment: 128, unrolled: false }],
  [1, { strategy: 'row-per-thread' }, 'f16'],
  [2, { strategy: 'row-per-workgroup', workgroupSize: 8, kept: false }, 'bf16'],
  [3, { strategy: 'split-row', workgroupSize: 8, segment: 128 }, 'f16'],
];

/** At both ends of a row, where its neighbours' groups reach in, and in the middle. */
const targetsAt = (classes: number): readonly number[] => [
  0,
  1,
  2,
  3,
  500,
  classes - 4,
  classes - 3,
  classes - 2,
  classes - 1,
  -100,
];

/** What makes a row's elements special: its logits, and its upstream gradient. */
const KINDS: readonly ((row: Float32Array) => number)[] = [
  () => 1,
  (row) => {
    row[row.length - 1] = Number.NaN;
    return 1;
  },
  () => Number.POSITIVE_INFINITY,
  (row) => {
    row.fill(Number.NEGATIVE_INFINITY, 1);
    return -0.5;
  },
  (row) => {
    row[0] = Number.POSITIVE_INFINITY;
    return 1;
  },
  (row) => {
    row.fill(Number.NEGATIVE_INFINITY);
    return 1;
  },
  () => Number.NaN,
];

interface Rows {
  readonly classes: number;
  readonly logits: Float32Array<ArrayBuffer>;
  readonly targets: Int32Array<ArrayBuffer>;
  readonly upstream: Float32Array<ArrayBuffer>;
  /** An upstream gradient for each element, infinite or NaN at one end of some rows. */
  readonly elements: Float32Array<ArrayBuffer>;
}

/** Rows of every kind with targets in every place; `turn` says which meet which, and how they lie. */
function rowsOf(classes: number, turn: number): Rows {
  const places = targetsAt(classes);
  const count = 4 * Math.ceil(places.length / 4);
  const logits = normals(count * classes, classes + turn);
  const upstream = new Float32Array(count);
  const targets = Int32Array.from({ length: count }, (_, r) => places[(r + turn) % places.length] as number);
  for (let r = 0; r < count; r++) {
    // Every second row is a usual one.
    const kind = KINDS[r % 2 === 0 ? 0 : (r + turn) % KINDS.length] as (row: Float32Array) => number;
    upstream[r] = kind(logits.subarray(r * classes, (r + 1) * classes));
  }
  const elements = normals(count * classes, turn);
  for (let r = 1; r < count; r += 2) {
    elements[r * classes + (r % 4 === 1 ? 0 : classes - 1)] = upstream[r] as number;
  }
  return { classes, logits, targets, upstream, elements };
}

function run(
  ctx: Context,
  rows: Rows,
  policy: Partial<Policy>,
  dtype: FloatDType,
): Promise<Readonly<Record<string, TypedArray>>> {
  return withTensors(async (keep) => {
    const { classes, targets, upstream } = rows;
    const matrix = (): Tensor => keep(ctx.tensor(rows.logits, [targets.length, classes], dtype));
    const logits = matrix();
    const common = { policy, reduction: 'none', gradOutput: upstream } as const;
    const weight = normals(classes, 3);
    const plain = await crossEntropy(logits, targets, { ...common, grad: true, weight, temperature: 0.5 });
    const inPlace = await crossEntropy(matrix(), targets, { ...common, grad: 'in-place', zLoss: 0.1 });
    const capped = await crossEntropy(matrix(), targets, { ...common, grad: 'in-place', softcap: 2 });
    const smoothed = await crossEntropy(logits, targets, {
      ...common,
      grad: true,
      weight,
      labelSmoothing: 0.1,
    });
    const nll = await nllLoss(logits, targets, { ...common, grad: true, weight });
    const spread = await entropy(logits, { ...common, grad: true });
    const probs = await softmax(logits, { policy });
    const divergence = await klDivergence(logits, probs, { ...common, target: 'logits', grad: true });
    const lse = await logSumExp(logits, { policy });
    const elements = keep(ctx.tensor(rows.elements, [targets.length, classes]));
    const tensors = {
      probs,
      logSoftmax: await logSoftmax(logits, { policy }),
      softmaxGrad: await softmaxGrad(probs, elements, { policy }),
      logSoftmaxGrad: await logSoftmaxGrad(logits, elements, { policy }),
      logSumExpGrad: await logSumExpGrad(logits, lse, upstream, { policy }),
      grad: plain.grad as Tensor,
      loss: plain.loss,
      inPlace: inPlace.grad as Tensor,
      capped: capped.grad as Tensor,
      smoothed: smoothed.grad as Tensor,
      nll: nll.grad as Tensor,
      entropy: spread.grad as Tensor,
      divergence: divergence.grad as Tensor,
      divergenceTarget: divergence.gradTarget as Tensor,
    };
    for (const { loss } of [inPlace, capped, smoothed, nll]) keep(loss);
    for (const tensor of [lse, spread.entropy, divergence.divergence]) keep(tensor);
    const results: Record<string, TypedArray> = {};
    for (const [name, tensor] of Object.entries(tensors)) results[name] = await comparable(keep(tensor));
    return results;
  });
}

async function kernelsOf(
  ctx: Context,
  shape: readonly number[],
  policy: Partial<Policy>,
  layout: { readonly rowStride?: number } = {},
): Promise<string> {
  const plan = await planSoftmax(ctx, { shape, policy, ...layout });
  plan.destroy();
  return plan.passes.map(({ variant }) => variant).join(' ');
}

export function straddlingChecks(): Check[] {
  return [
    gpuCheck('straddling rows: special rows and targets at their ends', async ({ ctx }) => {
      for (const [last, policy, dtype = 'f32'] of CASES) {
        const classes = 1024 + last;
        assert(
          (await kernelsOf(ctx, [12, classes], policy)).includes('map-straddling'),
          `${classes} classes, ${JSON.stringify(policy)}: no groups are shared`,
        );
        for (const turn of [0, 1, 2, 3, 5, 6]) {
          const rows = rowsOf(classes, turn);
          const expected = await run(ctx, rows, { ...policy, vec4: false }, dtype);
          const actual = await run(ctx, rows, policy, dtype);
          for (const [name, values] of Object.entries(expected)) {
            const what = `${name}, ${dtype}, ${classes} classes, turn ${turn}, ${JSON.stringify(policy)}`;
            sameBits(actual[name] as TypedArray, values, what);
          }
        }
      }
    }),
    gpuCheck('straddling rows: only where matrices are whole groups of four', async ({ ctx }) => {
      const policy = { strategy: 'split-row', workgroupSize: 8, segment: 128 } as const;
      for (const [shape, expected, wishes, layout] of [
        [[4, 1025], true],
        [[3, 1025], false],
        [[2, 1026], true],
        [[3, 1026], false],
        [[4, 1024], false],
        [[4, 101], false],
        [[4, 1025], false, { vec4: false }],
        // 4,112 elements, with gaps between the rows.
        [[4, 1025], false, {}, { rowStride: 1029 }],
      ] as const) {
        const kernels = await kernelsOf(ctx, shape, { ...policy, ...wishes }, layout);
        equal(kernels.includes('map-straddling'), expected, `${show([shape, wishes, layout])}: ${kernels}`);
      }
    }),
    gpuCheck(
      'straddling rows: a part of a buffer that does not begin with a group',
      async ({ ctx }, keep, device) => {
        const shape = [4, 1025];
        const policy = { strategy: 'row-per-thread' } as const;
        const buffer = keep(
          device.createBuffer({ size: 4 * 1025 * 4 + 256, usage: STORAGE | COPY_SRC | COPY_DST }),
        );
        const output = keep(ctx.tensor(new Float32Array(4 * 1025), shape));
        const plan = keep(await planSoftmax(ctx, { shape, policy }));
        const encoder = device.createCommandEncoder();
        const logits = { buffer, offset: 4 };
        await refusesAll(InvalidArgumentError, 'throws', [
          [
            'logits at byte 4',
            () => plan.encode(encoder, { logits, output }),
            /logits.*byte 4.*16.*vec4: false/,
          ],
        ]);
        plan.encode(encoder, { logits: { buffer, offset: 16 }, output });
        const one = keep(await planSoftmax(ctx, { shape, policy: { ...policy, vec4: false } }));
        one.encode(encoder, { logits, output });
        device.queue.submit([encoder.finish()]);
        const first = (await output.read())[0] as number;
        assert(Math.abs(first - 1 / 1025) < 1e-9, `softmax of equal logits is ${first}`);
        // A call chooses by itself.
        const tensor = keep(ctx.fromBuffer(buffer, shape, { byteOffset: 4 }));
        const probs = keep(await softmax(tensor, { policy }));
        equal((await probs.read())[4099], first, 'softmax of a tensor that begins at byte 4');
      },
    ),
  ];
}
