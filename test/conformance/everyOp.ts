// Every op on one batch of rows, for checks that compare a whole run with another, bit by bit.

import { type FloatDType, isHalf } from '../../src/dtype.js';
import { decodeHalf, encodeHalf } from '../../src/half.js';
import {
  type Context,
  crossEntropy,
  klDivergence,
  logitStats,
  logSoftmax,
  logSoftmaxGrad,
  logSumExp,
  logSumExpGrad,
  type Policy,
  softmax,
  softmaxGrad,
  type Tensor,
  type TypedArray,
} from '../../src/index.js';
import { sameBits } from './assert.js';
import { hardLogits, hardProbs, hardTargets, hardWeights, normals } from './data.js';
import { tensorsOf } from './logitStatsCheck.js';
import { comparable, withTensors } from './tensors.js';

/** Rows of one batch; everything a row's results depend on. */
export interface Batch {
  readonly rows: number;
  readonly classes: number;
  /** What the matrices are stored in; their values are exact in it. */
  readonly dtype: FloatDType;
  readonly logits: Float32Array<ArrayBuffer>;
  readonly targets: Int32Array<ArrayBuffer>;
  readonly probs: Float32Array<ArrayBuffer>;
  readonly upstream: Float32Array<ArrayBuffer>;
  readonly rowUpstream: Float32Array<ArrayBuffer>;
}

export function makeBatch(rows: number, classes: number, seed: number, dtype: FloatDType = 'f32'): Batch {
  const exact = (values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> =>
    isHalf(dtype) ? decodeHalf(dtype, encodeHalf(dtype, values)) : values;
  const logits = exact(hardLogits(rows, classes, { seed, extreme: true }));
  return {
    rows,
    classes,
    dtype,
    logits,
    targets: hardTargets(logits, classes, { seed, ignore: -100 }),
    probs: exact(hardProbs(rows, classes, seed)),
    upstream: exact(normals(rows * classes, seed)),
    rowUpstream: normals(rows, seed + 1),
  };
}

/** Rows of a batch, in the order given. */
export function pickRows(batch: Batch, order: readonly number[]): Batch {
  const { classes, dtype } = batch;
  const pick = <T extends Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(from: T, width: number): T => {
    const picked = new (from.constructor as new (length: number) => T)(order.length * width);
    order.forEach((r, at) => {
      picked.set(from.subarray(r * width, (r + 1) * width), at * width);
    });
    return picked;
  };
  return {
    rows: order.length,
    classes,
    dtype,
    logits: pick(batch.logits, classes),
    targets: pick(batch.targets, 1),
    probs: pick(batch.probs, classes),
    upstream: pick(batch.upstream, classes),
    rowUpstream: pick(batch.rowUpstream, 1),
  };
}

export type Results = Readonly<Record<string, TypedArray>>;

/** What belongs to each row: all ops, no reduction. */
export function runRows(ctx: Context, batch: Batch, policy: Partial<Policy> = {}): Promise<Results> {
  return withTensors(async (keep) => {
    const { rows, classes, dtype } = batch;
    const shape = [rows, classes];
    const matrix = (data: Float32Array): Tensor => keep(ctx.tensor(data, shape, dtype));
    const results: Record<string, Tensor> = {};
    const note = (made: Record<string, Tensor>): void => {
      for (const [name, tensor] of Object.entries(made)) results[name] = keep(tensor);
    };
    const logits = matrix(batch.logits);
    const targets = keep(ctx.tensor(batch.targets, [rows]));
    const probs = matrix(batch.probs);
    const upstream = matrix(batch.upstream);
    const gradOutput = keep(ctx.tensor(batch.rowUpstream, [rows]));
    const weight = hardWeights(classes, classes);
    note({ softmax: await softmax(logits, { policy }) });
    note({ softmaxGrad: await softmaxGrad(probs, upstream, { policy }) });
    note({ logSoftmax: await logSoftmax(logits, { policy }) });
    note({
      logSoftmaxGrad: await logSoftmaxGrad(keep(await logSoftmax(logits, { policy })), upstream, { policy }),
    });
    const lse = keep(await logSumExp(logits, { policy }));
    note({ logSumExp: lse, logSumExpGrad: await logSumExpGrad(logits, lse, gradOutput, { policy }) });
    const stats = tensorsOf(
      await logitStats(
        logits,
        batch.targets.map((target) => Math.max(target, 0)),
        { policy, topK: 2 },
      ),
    );
    note(Object.fromEntries(Object.entries(stats).map(([name, tensor]) => [`stats ${name}`, tensor])));
    const common = { policy, reduction: 'none', gradOutput, grad: true } as const;
    const index = await crossEntropy(logits, targets, { ...common, weight, labelSmoothing: 0.1 });
    note({ smoothedLoss: index.loss, smoothedGrad: index.grad as Tensor });
    const dense = await crossEntropy(logits, probs, common);
    note({
      probsLoss: dense.loss,
      probsGrad: dense.grad as Tensor,
      gradTargets: dense.gradTargets as Tensor,
    });
    for (const [name, target, options] of [
      ['kl', upstream, { target: 'logits', temperature: 1.5 }],
      ['klProbs', probs, { target: 'probs' }],
      ['klLogProbs', upstream, { target: 'logProbs' }],
    ] as const) {
      const { divergence, grad, gradTarget } = await klDivergence(logits, target, { ...common, ...options });
      note({
        [name]: divergence,
        [`${name}Grad`]: grad as Tensor,
        [`${name}GradTarget`]: gradTarget as Tensor,
      });
    }
    const inPlace = await crossEntropy(matrix(batch.logits), targets, {
      ...common,
      grad: 'in-place',
      returnLogSumExp: true,
    });
    note({ loss: inPlace.loss, grad: inPlace.grad as Tensor, lse: inPlace.logSumExp as Tensor });
    return readAll(results);
  });
}

/** The ops whose rows may be kept between reading and writing, with what each element is written over or goes through. */
export function runKept(ctx: Context, batch: Batch, policy: Partial<Policy>): Promise<Results> {
  return withTensors(async (keep) => {
    const matrix = (): Tensor => keep(ctx.tensor(batch.logits, [batch.rows, batch.classes], batch.dtype));
    const logits = matrix();
    const options = { policy, reduction: 'none', gradOutput: batch.rowUpstream } as const;
    const capped = await crossEntropy(logits, batch.targets, {
      ...options,
      grad: true,
      softcap: 5,
      temperature: 0.5,
    });
    const inPlace = await crossEntropy(matrix(), batch.targets, { ...options, grad: 'in-place' });
    return readAll({
      softmax: keep(await softmax(logits, { policy, temperature: 1.5 })),
      logSoftmax: keep(await logSoftmax(logits, { policy })),
      cappedLoss: keep(capped.loss),
      cappedGrad: keep(capped.grad as Tensor),
      loss: keep(inPlace.loss),
      grad: keep(inPlace.grad as Tensor),
    });
  });
}

/** What a whole batch gives: each way to reduce, each statistic over rows. */
export function runReduced(ctx: Context, batch: Batch, policy: Partial<Policy> = {}): Promise<Results> {
  return withTensors(async (keep) => {
    const { rows, classes } = batch;
    const finite = hardLogits(rows, classes, { seed: rows });
    const logits = keep(ctx.tensor(finite, [rows, classes]));
    const targets = hardTargets(finite, classes, { seed: rows, ignore: -100, finite: true });
    const weight = hardWeights(classes, classes);
    const mean = await crossEntropy(logits, targets, { policy, weight });
    const sum = await crossEntropy(logits, keep(ctx.tensor(batch.probs, [rows, classes])), {
      policy,
      reduction: 'sum',
      labelSmoothing: 0.1,
    });
    const upstream = keep(ctx.tensor(batch.upstream, [rows, classes]));
    const kl = await klDivergence(logits, upstream, { policy, target: 'logits' });
    return readAll({
      divergence: keep(kl.divergence),
      weightedMean: keep(mean.loss),
      sum: keep(sum.loss),
      logSoftmaxGrad: keep(await logSoftmaxGrad(logits, upstream, { policy })),
    });
  });
}

/** Throws unless both runs gave the same bits. */
export function sameResults(actual: Results, expected: Results, what: string): void {
  for (const [name, values] of Object.entries(expected)) {
    sameBits(actual[name] as TypedArray, values, `${what}: ${name}`);
  }
}

/** The part of results that belongs to some rows of a batch of `rows`. */
export function sliceResults(results: Results, rows: number, from: number, to: number): Results {
  return Object.fromEntries(
    Object.entries(results).map(([name, values]) => {
      const width = values.length / rows;
      return [name, values.slice(from * width, to * width)];
    }),
  );
}

async function readAll(tensors: Record<string, Tensor>): Promise<Results> {
  const results: Record<string, TypedArray> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    results[name] = await (tensor.dtype === 'f32' ? comparable(tensor) : tensor.read());
  }
  return results;
}
