// Sizes at the edges: no rows, one class, more rows than a grid is wide, more bytes than a binding holds.

import {
  crossEntropy,
  klDivergence,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  logSumExpGrad,
  type Policy,
  planSoftmax,
  softmax,
  softmaxGrad,
  type Tensor,
} from '../../src/index.js';
import { layoutOf } from '../../src/shape.js';
import { assert, equal, sameBits } from './assert.js';
import type { Check, Env } from './check.js';
import { hardLogits, hardTargets, normals, random } from './data.js';
import { contextOn, intercept } from './device.js';
import { checkCrossEntropy, checkLogSumExp } from './opChecks.js';
import { expectShape, numbers, withTensors } from './tensors.js';

export function sizeChecks(): Check[] {
  return [
    { name: 'sizes: more rows than a grid is wide', run: manyRows },
    { name: 'sizes: no rows', run: noRows },
    { name: 'sizes: one class', run: oneClass },
    { name: 'sizes: more logits than a binding holds', run: manyBytes },
  ];
}

async function manyRows(env: Env): Promise<void> {
  const policy = { strategy: 'row-per-workgroup', workgroupSize: 8 } as const;
  for (const [rows, classes] of [
    [70_000, 3],
    [200_000, 1],
  ] as const) {
    const layout = layoutOf('sizes', [rows, classes]);
    const seed = rows;
    const logits = hardLogits(rows, classes, { seed });
    const targets = hardTargets(logits, classes, { seed, ignore: -100, finite: true });
    const of = { where: `[${rows}, ${classes}]`, layout, logits, policy };
    await checkLogSumExp(env, { ...of, upstream: normals(rows, seed) });
    await checkCrossEntropy(env, { ...of, targets, choices: { reduction: 'mean' }, grad: true });
  }
  if (env.ctx.backend === 'cpu') return;
  const plan = await planSoftmax(env.ctx, { shape: [200_000, 1], policy });
  const [width, height] = plan.passes[0]?.grids[0] ?? [0, 0];
  plan.destroy();
  assert(height > 1 && width * height >= 200_000, `200,000 workgroups are a grid of ${width} × ${height}`);
}

async function noRows({ ctx }: Env): Promise<void> {
  await withTensors(async (keep) => {
    const read = async (tensor: Tensor, shape: readonly number[], what: string): Promise<Float32Array> => {
      expectShape(keep(tensor), shape, what);
      return numbers(tensor);
    };
    const empty = async (tensor: Tensor, shape: readonly number[], what: string): Promise<void> =>
      equal((await read(tensor, shape, what)).length, 0, `${what}: elements`);
    for (const shape of [
      [0, 5],
      [3, 0, 4],
    ]) {
      const perRow = shape.slice(0, -1);
      const x = keep(ctx.tensor(new Float32Array(0), shape));
      const g = keep(ctx.tensor(new Float32Array(0), shape));
      const rowG = keep(ctx.tensor(new Float32Array(0), perRow));
      await empty(await softmax(x), shape, 'softmax');
      await empty(await softmaxGrad(x, g), shape, 'softmaxGrad');
      await empty(await logSoftmax(x), shape, 'logSoftmax');
      await empty(await logSoftmaxGrad(x, g), shape, 'logSoftmaxGrad');
      await empty(await logSumExp(x), perRow, 'logSumExp');
      await empty(await logSumExp(x, { keepDims: true }), [...perRow, 1], 'logSumExp, keepDims');
      await empty(await logSumExpGrad(x, rowG, rowG), shape, 'logSumExpGrad');
      for (const target of ['logits', 'probs', 'logProbs'] as const) {
        for (const [reduction, expected] of [
          ['none', undefined],
          ['sum', 0],
          ['mean', Number.NaN],
        ] as const) {
          const what = `klDivergence, ${target}, ${reduction}`;
          const result = await klDivergence(x, g, { target, reduction, grad: true });
          const divergence = await read(result.divergence, reduction === 'none' ? perRow : [], what);
          equal(divergence[0], expected, `${what}: the divergence`);
          await empty(result.grad as Tensor, shape, `${what}: grad`);
          await empty(result.gradTarget as Tensor, shape, `${what}: gradTarget`);
        }
      }
      const weight = new Float32Array(shape.at(-1) as number).fill(0.5);
      for (const targets of [keep(ctx.tensor(new Int32Array(0), perRow)), g]) {
        for (const [reduction, expected] of [
          ['none', undefined],
          ['sum', 0],
          ['mean', Number.NaN],
        ] as const) {
          for (const grad of [true, 'in-place'] as const) {
            const what = `crossEntropy of ${targets.dtype}, ${reduction}, grad ${grad}`;
            const options = { reduction, grad, weight, returnLogSumExp: true };
            const result = await crossEntropy(x, targets, options);
            const loss = await read(result.loss, reduction === 'none' ? perRow : [], what);
            equal(loss[0], expected, `${what}: the loss`);
            if (grad === true) await empty(result.grad as Tensor, shape, `${what}: grad`);
            await empty(result.logSumExp as Tensor, perRow, `${what}: logSumExp`);
            assert(
              (result.gradTargets !== undefined) === (targets === g),
              `${what}: gradTargets where the targets are probabilities`,
            );
          }
        }
      }
    }
  });
}

async function oneClass({ ctx }: Env): Promise<void> {
  const values = [0.5, -3e38, 1e4, Number.NEGATIVE_INFINITY, Number.NaN, Number.POSITIVE_INFINITY, -0, 7];
  const rows = values.length;
  const bad = values.map((value) => !Number.isFinite(value));
  const nanWhereBad = (value: number): number[] => bad.map((isBad) => (isBad ? Number.NaN : value));
  for (const strategy of ['row-per-thread', 'row-per-workgroup', 'split-row'] as const) {
    // As in `strategies`, which has the shaders compiled.
    const policy: Partial<Policy> = { strategy, workgroupSize: 64 };
    await withTensors(async (keep) => {
      const expectAll = async (tensor: Tensor, expected: readonly number[], what: string): Promise<void> => {
        const actual = await numbers(keep(tensor));
        expected.forEach((value, i) => {
          const right = Number.isNaN(value) ? Number.isNaN(actual[i]) : actual[i] === value;
          assert(right, `${strategy}: ${what}[${i}] is ${actual[i]}, expected ${value}`);
        });
      };
      const x = keep(ctx.tensor(Float32Array.from(values), [rows, 1]));
      const f32 = Array.from(Float32Array.from(values));
      await expectAll(await softmax(x, { policy }), nanWhereBad(1), 'softmax');
      await expectAll(await logSoftmax(x, { policy }), nanWhereBad(0), 'logSoftmax');
      await expectAll(await logSumExp(x, { policy }), f32, 'logSumExp');
      const gradOutput = new Float32Array(rows).fill(1);
      const kl = { policy, reduction: 'none', grad: true, gradOutput } as const;
      const options = { ...kl, returnLogSumExp: true } as const;
      const index = await crossEntropy(x, new Int32Array(rows), options);
      keep(index.logSumExp as Tensor);
      await expectAll(index.loss, nanWhereBad(0), 'loss of indices');
      await expectAll(index.grad as Tensor, nanWhereBad(0), 'gradient of indices');
      const fromLogits = await klDivergence(x, x, { ...kl, target: 'logits' });
      await expectAll(fromLogits.divergence, nanWhereBad(0), 'divergence from logits');
      await expectAll(fromLogits.grad as Tensor, nanWhereBad(0), 'gradient of a divergence');
      await expectAll(fromLogits.gradTarget as Tensor, nanWhereBad(0), 'gradient of the teacher');
      const ones = keep(ctx.tensor(new Float32Array(rows).fill(1), [rows, 1]));
      const fromProbs = await klDivergence(x, ones, { ...kl, target: 'probs' });
      await expectAll(fromProbs.divergence, nanWhereBad(0), 'divergence from probabilities');
      await expectAll(fromProbs.grad as Tensor, nanWhereBad(0), 'gradient of it');
      await expectAll(fromProbs.gradTarget as Tensor, nanWhereBad(1), 'target gradient of it');
      const dense = await crossEntropy(x, ones, options);
      keep(dense.logSumExp as Tensor);
      await expectAll(dense.loss, nanWhereBad(0), 'loss of probabilities');
      await expectAll(dense.grad as Tensor, nanWhereBad(0), 'gradient of probabilities');
      await expectAll(dense.gradTargets as Tensor, nanWhereBad(0), 'target gradient');
    });
  }
}

/** What WebGPU guarantees, and what one of the test adapters has. */
const SMALLEST_BINDING_LIMIT = 128 * 2 ** 20;

/** Just more than 128 MiB of logits, in rows whose bytes are no multiple of an offset's alignment. */
async function manyBytes(env: Env): Promise<void> {
  if (env.ctx.device === undefined) return;
  const classes = 50_257;
  const rows = Math.ceil(SMALLEST_BINDING_LIMIT / 4 / classes) + 1;
  const next = random(11);
  const logits = Float32Array.from({ length: rows * classes }, () => 24 * next() - 12);
  const targets = Int32Array.from({ length: rows }, () => Math.floor(next() * classes));
  // Adapters that allow more are held to the same limit.
  const ctx = await contextOn(env, {
    limits: (own) => intercept(own, { maxStorageBufferBindingSize: () => SMALLEST_BINDING_LIMIT }),
  });
  try {
    const options = { reduction: 'none', grad: 'in-place' } as const;
    const run = (from: number, to: number): Promise<{ loss: Float32Array; grad: Float32Array }> =>
      withTensors(async (keep) => {
        const part = logits.subarray(from * classes, to * classes);
        const x = keep(ctx.tensor(part, [to - from, classes]));
        const { loss } = await crossEntropy(x, targets.slice(from, to), options);
        return { loss: await numbers(keep(loss)), grad: await numbers(x) };
      });
    const plan = await planSoftmax(ctx, { shape: [rows, classes] });
    const { grids } = plan.passes[0] ?? { grids: [] };
    plan.destroy();
    assert(grids.length > 1, `[${rows}, ${classes}] runs in ${grids.length} dispatch`);
    const all = await run(0, rows);
    // The first rows, the last ones, and those around the border.
    for (const from of [0, Math.floor(rows / 2), rows - 6, rows - 3]) {
      const few = await run(from, from + 3);
      sameBits(all.loss.subarray(from, from + 3), few.loss, `loss from row ${from}`);
      const part = all.grad.subarray(from * classes, (from + 3) * classes);
      sameBits(part, few.grad, `gradient from row ${from}`);
    }
  } finally {
    ctx.destroy();
  }
}
