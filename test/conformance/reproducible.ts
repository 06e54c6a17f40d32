// The context option `reproducible`: one set of bits on every target, written down here.

import nativeSource from '../../shaders/arithmetic/native.wgsl?raw';
import reproducibleSource from '../../shaders/arithmetic/reproducible.wgsl?raw';
import {
  binaryCrossEntropy,
  type Context,
  type CrossEntropyOptions,
  createContext,
  crossEntropy,
  entropy,
  InvalidArgumentError,
  klDivergence,
  linearCrossEntropy,
  logitStats,
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
  WebGpuUnavailableError,
} from '../../src/index.js';
import type { Golden } from '../support/golden.js';
import { Ledger } from '../support/ledger.js';
import { assert, sameBits } from './assert.js';
import type { Check, Env } from './check.js';
import { hardLogits, hardProbs, hardTargets, hardWeights, normals } from './data.js';
import { Calls, contextOn, counting, intercept, type Wraps } from './device.js';
import { goldenChecks } from './golden.js';
import { HASHES } from './reproducibleHashes.js';
import { type Keep, numbers, rejection, withTensors } from './tensors.js';

export function reproducibleChecks(golden: Golden): Check[] {
  return [
    ...CONFIGURATIONS.map((configuration) => ({
      name: `reproducible: bits of ${configuration.name}`,
      run: (env: Env) => hashesAsWritten(env, configuration),
    })),
    { name: 'reproducible: subgroups, vec4 and plans change no bit', run: accessesAlike },
    { name: 'reproducible: rows in several dispatches', run: chunksAlike },
    ...['softmax', 'log_softmax', 'logsumexp', 'cross_entropy', 'cross_entropy_full'].map((op) => ({
      name: `reproducible: golden cases of ${op}`,
      run: (env: Env) => goldenBounds(env, golden, op),
    })),
    { name: 'reproducible: a device that computes otherwise is refused', run: otherDevicesRefused },
    { name: 'reproducible: what has no such form is refused', run: othersRefused },
  ];
}

/** A context on the device of the target, with `reproducible: true`. */
function reproducible(env: Env, wraps: Wraps<GPUDevice> = {}): Promise<Context> {
  return contextOn({ ...env, createContext: (o) => env.createContext({ ...o, reproducible: true }) }, wraps);
}

/** One for all checks of a target, since it compiles its own kernels; its device is the target's. */
const contexts = new WeakMap<Env, Promise<Context>>();

async function withReproducible<T>(env: Env, body: (ctx: Context, keep: Keep) => Promise<T>): Promise<T> {
  const opening = contexts.get(env) ?? reproducible(env);
  contexts.set(env, opening);
  const ctx = await opening;
  return withTensors((keep) => body(ctx, keep));
}

interface Configuration {
  readonly name: string;
  readonly run: (ctx: Context, keep: Keep) => Promise<Record<string, Tensor>>;
}

/** A row for a thread, for a workgroup (in whole vec4s), and split. */
const SHAPES = [
  [18, 31],
  [10, 1500],
  [2, 16_501],
] as const;

/** Rows of all kinds, every seventh number near the smallest. */
function logitsFor(rows: number, classes: number): Float32Array<ArrayBuffer> {
  const values = hardLogits(rows, classes, { seed: classes, extreme: true });
  for (let i = 0; i < values.length; i += 7) values[i] = (values[i] as number) * 2 ** -126;
  return values;
}

const LOSSES: Readonly<Record<string, CrossEntropyOptions>> = {
  'plain losses': { reduction: 'none' },
  'weighted, smoothed means': { labelSmoothing: 0.1, gradOutput: -0.37 },
  'capped, tempered sums': { reduction: 'sum', softcap: 9, temperature: 1.7, zLoss: 1e-3 },
};

const CONFIGURATIONS: readonly Configuration[] = [
  ...SHAPES.flatMap((shape) => [
    {
      name: `softmax and log-sum-exp of [${shape.join(', ')}]`,
      run: async (ctx: Context, keep: Keep) => {
        const [rows, classes] = shape;
        const logits = keep(ctx.tensor(logitsFor(rows, classes), shape));
        return {
          softmax: keep(await softmax(logits)),
          tempered: keep(await softmax(logits, { temperature: 0.6 })),
          logSoftmax: keep(await logSoftmax(logits)),
          logSumExp: keep(await logSumExp(logits)),
        };
      },
    },
    {
      name: `gradients of [${shape.join(', ')}]`,
      run: async (ctx: Context, keep: Keep) => {
        const [rows, classes] = shape;
        const logits = keep(ctx.tensor(logitsFor(rows, classes), shape));
        const probs = keep(ctx.tensor(hardProbs(rows, classes, 2), shape));
        const upstream = keep(ctx.tensor(normals(rows * classes, 3), shape));
        const lse = keep(await logSumExp(logits));
        return {
          softmaxGrad: keep(await softmaxGrad(probs, upstream)),
          logSoftmaxGrad: keep(await logSoftmaxGrad(logits, upstream)),
          logSumExpGrad: keep(await logSumExpGrad(logits, lse, normals(rows, 6))),
        };
      },
    },
    {
      name: `entropy and negative log-likelihood of [${shape.join(', ')}]`,
      run: async (ctx: Context, keep: Keep) => {
        const [rows, classes] = shape;
        const logits = keep(ctx.tensor(logitsFor(rows, classes), shape));
        const targets = hardTargets(logitsFor(rows, classes), classes, { seed: 4, ignore: -100 });
        const spread = await entropy(logits, { reduction: 'none', grad: true });
        const logProbs = keep(ctx.tensor(normals(rows * classes, 12), shape));
        const nll = await nllLoss(logProbs, targets, { grad: true, weight: hardWeights(classes, 5) });
        return {
          entropy: keep(spread.entropy),
          entropyGrad: keep(spread.grad as Tensor),
          nll: keep(nll.loss),
          nllGrad: keep(nll.grad as Tensor),
        };
      },
    },
    ...Object.entries(LOSSES).flatMap(([name, options]) =>
      (['class indices', 'probabilities'] as const).map((kind) => ({
        name: `${name} of ${kind}, [${shape.join(', ')}]`,
        run: (ctx: Context, keep: Keep) => losses(ctx, keep, shape, kind === 'class indices', options),
      })),
    ),
  ]),
  {
    name: '16 bits, the classes along the first axis',
    run: async (ctx, keep) => {
      const [classes, rows] = [31, 18];
      const values = logitsFor(rows, classes);
      const weight = hardWeights(classes, 9);
      const targets = hardTargets(normals(rows * classes, 11), classes, { seed: 7, ignore: -100 });
      const tensor = (data: Float32Array<ArrayBuffer>, dtype: 'f16' | 'bf16') =>
        keep(ctx.tensor(data, [classes, rows], dtype));
      const spiky = normals(rows * classes, 11).map((x, i) => (i % 17 === 0 ? 20 * x : x));
      const inPlace = await crossEntropy(tensor(spiky, 'bf16'), targets, {
        axis: 0,
        weight,
        grad: 'in-place',
      });
      const probs = tensor(hardProbs(rows, classes, 8), 'f16');
      const dense = await crossEntropy(tensor(spiky, 'bf16'), probs, { axis: 0, weight, grad: true });
      return {
        softmax: keep(await softmax(tensor(values, 'f16'), { axis: 0 })),
        loss: keep(inPlace.loss),
        grad: inPlace.grad as Tensor,
        dense: keep(dense.loss),
        denseGrad: keep(dense.grad as Tensor),
        gradTargets: keep(dense.gradTargets as Tensor),
      };
    },
  },
  {
    name: 'a gradient in place over split rows',
    run: async (ctx, keep) => {
      const shape = [2, 16_501] as const;
      const logits = keep(ctx.tensor(normals(shape[0] * shape[1], 11), shape));
      const { loss, grad } = await crossEntropy(logits, Int32Array.of(5, 16_500), { grad: 'in-place' });
      return { loss: keep(loss), grad: grad as Tensor };
    },
  },
  {
    name: 'elements in groups of four that rows share',
    run: async (ctx, keep) => {
      const shape = [4, 4099] as const;
      const values = logitsFor(...shape);
      const logits = keep(ctx.tensor(values, shape));
      const targets = hardTargets(values, shape[1], { seed: 7 });
      const { loss, grad } = await crossEntropy(logits, targets, { reduction: 'none', grad: true });
      return {
        softmax: keep(await softmax(logits)),
        logSoftmax: keep(await logSoftmax(logits)),
        loss: keep(loss),
        grad: keep(grad as Tensor),
      };
    },
  },
];

async function losses(
  ctx: Context,
  keep: Keep,
  shape: readonly [number, number],
  indices: boolean,
  options: CrossEntropyOptions,
): Promise<Record<string, Tensor>> {
  const [rows, classes] = shape;
  const values = logitsFor(rows, classes);
  const { labelSmoothing = 0, reduction } = options;
  const run = (logits: Float32Array<ArrayBuffer>, more: CrossEntropyOptions) => {
    const targets = indices
      ? keep(ctx.tensor(hardTargets(logits, classes, { seed: 7, ignore: -100 }), [rows]))
      : keep(ctx.tensor(hardProbs(rows, classes, 8), shape));
    return crossEntropy(keep(ctx.tensor(logits, shape)), targets, {
      ...options,
      ...(labelSmoothing > 0 ? { weight: hardWeights(classes, 9) } : {}),
      grad: true,
      returnLogSumExp: true,
      ...more,
    });
  };
  const { loss, ...others } = await run(values, reduction === 'none' ? { gradOutput: normals(rows, 1) } : {});
  const results: Record<string, Tensor> = { loss, ...others };
  // A row that is NaN makes a reduced loss NaN, so once more without.
  const spiky = normals(rows * classes, 11).map((x, i) => (i % 17 === 0 ? 20 * x : x));
  const finite = await run(spiky, indices && reduction === 'none' ? { grad: 'in-place' } : {});
  for (const [name, tensor] of Object.entries(finite)) results[`finite ${name}`] = tensor as Tensor;
  for (const tensor of Object.values(results)) keep(tensor);
  return results;
}

/** Bits and length of all results in turn: FNV-1a over words, in two halves. */
function hashOf(results: Readonly<Record<string, Float32Array>>): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (const values of Object.values(results)) {
    for (const word of new Uint32Array(values.buffer, values.byteOffset, values.length)) {
      a = Math.imul(a ^ word, 0x01000193);
      b = Math.imul(b ^ word ^ (b >>> 15), 0x85ebca6b);
    }
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

async function hashesAsWritten(env: Env, { name, run }: Configuration): Promise<void> {
  await withReproducible(env, async (ctx, keep) => {
    assert(ctx.reproducible && !env.ctx.reproducible, 'ctx.reproducible says what was asked for');
    const results = Object.entries(await run(ctx, keep));
    const hashes: Record<string, string> = {};
    for (const [key, tensor] of results) hashes[key] = hashOf({ [key]: await numbers(tensor) });
    const written = JSON.stringify(HASHES[name] ?? {});
    assert(
      JSON.stringify(hashes) === written,
      `${name}: the results hash to\n  ${JSON.stringify(hashes)}, not to\n  ${written}`,
    );
  });
}

async function accessesAlike(env: Env): Promise<void> {
  await withReproducible(env, async (ctx, keep) => {
    for (const shape of [[9, 148]] as const) {
      const [rows, classes] = shape;
      const values = logitsFor(rows, classes);
      const targets = hardTargets(values, classes, { seed: 1 });
      const run = async (policy: Partial<Policy>) => {
        const logits = keep(ctx.tensor(values, shape));
        const { grad } = await crossEntropy(logits, targets, { policy, grad: true, labelSmoothing: 0.2 });
        return numbers(keep(grad as Tensor));
      };
      const expected = await run({});
      sameBits(await run({ subgroups: false, vec4: false }), expected, 'without subgroups and vec4');
      const logits = keep(ctx.tensor(values, shape));
      const output = keep(ctx.tensor(new Float32Array(rows * classes), shape));
      const plan = await planSoftmax(ctx, { shape });
      const encoder = ctx.device?.createCommandEncoder();
      plan.encode(encoder, { logits, output });
      if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
      sameBits(await numbers(output), await numbers(keep(await softmax(logits))), 'a plan');
      plan.destroy();
    }
  });
}

async function chunksAlike(env: Env): Promise<void> {
  // The CPU has no limits.
  if (env.ctx.device === undefined) return;
  const small = await reproducible(env, {
    limits: (own) => intercept(own, { maxStorageBufferBindingSize: () => 70_000 }),
  });
  try {
    const shape = [400, 61];
    const values = logitsFor(400, 61);
    const run = (ctx: Context, keep: Keep) =>
      softmax(keep(ctx.tensor(values, shape))).then((output) => numbers(keep(output)));
    const actual = await withTensors((keep) => run(small, keep));
    sameBits(actual, await withReproducible(env, run), 'rows in several dispatches');
  } finally {
    small.destroy();
  }
}

/** On the CPU; elsewhere the bits are the same, which the hashes say. */
async function goldenBounds(env: Env, golden: Golden, op: string): Promise<void> {
  if (env.ctx.device !== undefined) return;
  const ledger = new Ledger(env.target);
  const ctx = await reproducible(env);
  assert(ctx.reproducible, 'the context is reproducible');
  for (const check of goldenChecks(golden, [op])) await check.run({ ...env, ctx, ledger });
  ctx.destroy();
  env.ledger.merge(
    ledger.toJSON().map((entry) => ({ ...entry, quantity: `${entry.quantity}, reproducible` })),
  );
}

/** A device that adds, multiplies, divides and takes exp in its own way, as a compiler may. */
async function otherDevicesRefused(env: Env): Promise<void> {
  const { device } = env.ctx;
  if (device === undefined) return;
  const wraps: Wraps<GPUDevice> = {
    createShaderModule: (own) => (descriptor) => {
      const code = descriptor.code.replace(reproducibleSource, nativeSource);
      assert(code !== descriptor.code, 'the kernels hold the reproducible arithmetic');
      return own({ ...descriptor, code });
    },
  };
  const error = await rejection(reproducible(env, wraps));
  assert(
    error instanceof WebGpuUnavailableError &&
      /cannot compute reproducibly.*backend: 'cpu'/.test(error.message),
    `a device with other arithmetic: ${error}`,
  );
  // Where WebGPU was not demanded, the CPU takes its place, and the device is given back.
  const calls = new Calls();
  const opened = intercept(device, {
    ...wraps,
    destroy: () => (() => calls.note('destroy')) as GPUDevice['destroy'],
  });
  const { features, limits } = device;
  const info = { isFallbackAdapter: false } as GPUAdapterInfo;
  const adapter = { features, limits, info, requestDevice: async () => opened } as unknown as GPUAdapter;
  const gpu = { requestAdapter: async () => adapter, wgslLanguageFeatures: new Set() } as unknown as GPU;
  const ctx = await createContext({ gpu, reproducible: true });
  assert(ctx.backend === 'cpu' && ctx.reproducible && calls.of('destroy') === 1, `auto took ${ctx.backend}`);
  ctx.destroy();
}

async function othersRefused(env: Env): Promise<void> {
  const calls = new Calls();
  const ctx = await reproducible(env, counting(calls));
  const logits = ctx.tensor(new Float32Array(6), [2, 3]);
  const attempts: readonly [RegExp, () => Promise<unknown>][] = [
    [/binaryCrossEntropy: has no reproducible form/, () => binaryCrossEntropy(logits, logits)],
    [/klDivergence: has no reproducible/, () => klDivergence(logits, logits, { target: 'logits' })],
    [
      /linearCrossEntropy: has no reproducible form/,
      () => linearCrossEntropy(logits, logits, new Int32Array(2)),
    ],
    [/logitStats: has no reproducible form/, () => logitStats(logits)],
    [/policy\.strategy changes/, () => softmax(logits, { policy: { strategy: 'split-row' } })],
    [/policy\.workgroupSize changes/, () => softmax(logits, { policy: { workgroupSize: 32 } })],
    [/policy\.segment changes/, () => softmax(logits, { policy: { segment: 8192 } })],
  ];
  calls.clear();
  for (const [words, attempt] of attempts) {
    const error = await rejection(attempt());
    assert(error instanceof InvalidArgumentError && words.test(error.message), `${words}: ${error}`);
  }
  assert(calls.of('submit') === 0, `refused, but submitted: ${calls}`);
  ctx.destroy();
  for (const options of [{ policy: { workgroupSize: 32 } }, { reproducible: 'yes' as never }]) {
    const error = await rejection(env.createContext({ reproducible: true, ...options }));
    assert(error instanceof InvalidArgumentError, `${JSON.stringify(options)}: ${error}`);
  }
}
