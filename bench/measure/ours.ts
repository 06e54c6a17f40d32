import type { Context, FloatDType, OpPlan, Policy, Tensor } from 'webgpu-loss';
import { isFloat } from '../../src/dtype.js';
import { trafficOf } from './bytes.js';
import type { Case, CaseData, Contender, OpName, Prepared, Results } from './contender.js';
import { type CaseTensor, countOf, dtypeOf, shapeOf, tensorsOf } from './tensors.js';
import { type Rotation, rotation, setsFor, timeOnce, workOn } from './work.js';

/** A build of the library: the benches compare several. */
export type Library = typeof import('webgpu-loss');

/** The tensors of a case by name. */
export type Bindings = Readonly<Record<string, Tensor>>;

interface Wishes {
  readonly shape: readonly number[];
  readonly dtype: FloatDType;
  readonly policy: Partial<Policy>;
}

type MakePlan = (library: Library, context: Context, wishes: Wishes) => Promise<OpPlan<never>>;

const PLANS: { readonly [O in OpName]: MakePlan } = {
  softmax: ({ planSoftmax }, context, wishes) => planSoftmax(context, wishes),
  logSoftmax: ({ planLogSoftmax }, context, wishes) => planLogSoftmax(context, wishes),
  logSumExp: ({ planLogSumExp }, context, wishes) => planLogSumExp(context, wishes),
  crossEntropy: ({ planCrossEntropy }, context, wishes) =>
    planCrossEntropy(context, { ...wishes, targets: 'index' }),
  crossEntropyGrad: ({ planCrossEntropy }, context, wishes) =>
    planCrossEntropy(context, { ...wishes, targets: 'index', grad: true }),
  softmaxGrad: ({ planSoftmaxGrad }, context, wishes) => planSoftmaxGrad(context, wishes),
  logSoftmaxGrad: ({ planLogSoftmaxGrad }, context, wishes) => planLogSoftmaxGrad(context, wishes),
  logSumExpGrad: ({ planLogSumExpGrad }, context, wishes) => planLogSumExpGrad(context, wishes),
  nllLoss: ({ planNllLoss }, context, wishes) => planNllLoss(context, { ...wishes, grad: true }),
  entropy: ({ planEntropy }, context, wishes) =>
    planEntropy(context, { ...wishes, reduction: 'mean', grad: true }),
  binaryCrossEntropy: ({ planBinaryCrossEntropy }, context, wishes) =>
    planBinaryCrossEntropy(context, { ...wishes, grad: true }),
  klDivergence: ({ planKlDivergence }, context, wishes) =>
    planKlDivergence(context, { ...wishes, target: 'logits', reduction: 'mean', grad: true }),
  logitStats: ({ planLogitStats }, context, wishes) => planLogitStats(context, { ...wishes, targets: true }),
};

/** The library's plan of a case. Rejects where the library refuses it. */
export function planOf(
  library: Library,
  context: Context,
  { op, rows, classes, dtype }: Case,
  policy: Partial<Policy> = {},
): Promise<OpPlan<Bindings>> {
  return PLANS[op](library, context, { shape: [rows, classes], dtype, policy });
}

/** The tensors of a case, inputs filled; as many sets of them as have `rotate` bytes in all. */
export function tensorSets(
  context: Context,
  of: Case,
  { inputs }: CaseData,
  rotate: number,
): Rotation<Bindings> {
  const make = (tensor: CaseTensor): Tensor => {
    const dtype = dtypeOf(tensor, of);
    const Zeros = isFloat(dtype) ? Float32Array : Int32Array;
    const data = inputs[tensor.name] ?? new Zeros(countOf(tensor, of));
    return context.tensor(data, shapeOf(tensor, of), dtype);
  };
  return rotation(setsFor(trafficOf(of).bytes, rotate), () =>
    Object.fromEntries(tensorsOf(of.op).map((tensor) => [tensor.name, make(tensor)])),
  );
}

/** A plan over sets of tensors, run once. Its `destroy` leaves the tensors alone. */
export async function preparePlan(
  library: Library,
  context: Context,
  of: Case,
  sets: Rotation<Bindings>,
  policy: Partial<Policy> = {},
): Promise<Prepared> {
  await context.device?.queue.onSubmittedWorkDone();
  const start = performance.now();
  const plan = await planOf(library, context, of, policy);
  const work = workOf(context, (pass) => plan.encode(pass, sets.next()));
  await timeOnce(work);
  return {
    ...work,
    firstCallMs: performance.now() - start,
    passes: plan.passes,
    results: () => read(sets.all[0] as Bindings, of),
    destroy: () => plan.destroy(),
  };
}

export interface OursOptions {
  readonly library: Library;
  readonly context: Context;
  readonly name?: string;
  readonly policy?: Partial<Policy>;
  /** Sets of buffers are used in turn, until they have this many bytes in all. Default 0: one set. */
  readonly rotate?: number;
}

/** This library, by the plans that a training loop uses; on a context of WebGPU or the CPU. */
export function oursContender({
  library,
  context,
  name = 'ours',
  policy = {},
  rotate = 0,
}: OursOptions): Contender {
  return {
    name,
    async prepare(of, data) {
      const sets = tensorSets(context, of, data, rotate);
      const free = (): void => {
        for (const set of sets.all) for (const tensor of Object.values(set)) tensor.destroy();
      };
      try {
        const prepared = await preparePlan(library, context, of, sets, policy);
        return {
          ...prepared,
          destroy() {
            prepared.destroy();
            free();
          },
        };
      } catch (error) {
        free();
        throw error;
      }
    },
  };
}

/** On the CPU a plan computes when it is asked to encode, and there is nothing to wait for. */
function workOf(
  { device }: Context,
  encode: (pass: GPUComputePassEncoder | undefined) => void,
): Pick<Prepared, 'submit' | 'done' | 'gpu'> {
  if (device !== undefined) return workOn(device, encode);
  return {
    submit(times) {
      for (let k = 0; k < times; k++) encode(undefined);
    },
    done: async () => undefined,
  };
}

async function read(tensors: Bindings, of: Case): Promise<Results> {
  const outputs = tensorsOf(of.op).filter(({ use }) => use === 'out');
  const values = outputs.map(async ({ name }) => [name, await (tensors[name] as Tensor).read()] as const);
  return Object.fromEntries(await Promise.all(values));
}
