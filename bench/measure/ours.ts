import type { Context, FloatDType, OpPlan, Policy, Tensor } from 'webgpu-loss';
import { isFloat } from '../../src/dtype.js';
import { trafficOf } from './bytes.js';
import {
  type Case,
  type CaseData,
  type Contender,
  LeftOut,
  type Prepared,
  type Results,
} from './contender.js';
import { type CaseTensor, countOf, dtypeOf, isLinear, type RowOp, shapeOf, tensorsOf } from './tensors.js';
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

const PLANS: { readonly [O in RowOp]: MakePlan } = {
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

/** What a plan is asked for besides its case. */
export interface PlanWishes {
  readonly policy?: Partial<Policy>;
  /** Of a linear layer: memory for its logits. Default: the library's own. */
  readonly maxScratchBytes?: number;
  /** Of a linear layer: which of its gradients count as 0. Default: none. */
  readonly gradFilter?: number;
}

/** The library's plan of a case. Rejects where the library refuses it. */
export function planOf(
  library: Library,
  context: Context,
  of: Case,
  { policy = {}, ...more }: PlanWishes = {},
): Promise<OpPlan<Bindings>> {
  const { op, rows, features = 0, classes, dtype } = of;
  if (op === 'matMul') throw new Error('the library exports no product');
  if (!isLinear(op)) return PLANS[op](library, context, { shape: [rows, classes], dtype, policy });
  const { planLinearCrossEntropy } = library;
  // Of another revision, perhaps.
  if (planLinearCrossEntropy === undefined)
    throw new LeftOut('this build of the library has no such operation');
  const grad = op === 'linearCrossEntropyGrad';
  const wishes = { shape: [rows, features], classes, dtype, policy, grad, ...more };
  return planLinearCrossEntropy(context, wishes) as Promise<OpPlan<never>>;
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
  wishes: PlanWishes = {},
): Promise<Prepared> {
  await context.device?.queue.onSubmittedWorkDone();
  const start = performance.now();
  const plan = await planOf(library, context, of, wishes);
  const work = workOf(context, (pass) => plan.encode(pass, sets.next()));
  await timeOnce(work);
  return {
    ...work,
    firstCallMs: performance.now() - start,
    passes: plan.passes,
    scratchBytes: plan.scratchBytes,
    results: () => read(sets.all[0] as Bindings, of),
    destroy: () => plan.destroy(),
  };
}

export interface OursOptions extends PlanWishes {
  readonly library: Library;
  readonly context: Context;
  readonly name?: string;
  /** Sets of buffers are used in turn, until they have this many bytes in all. Default 0: one set. */
  readonly rotate?: number;
}

/** This library, by the plans that a training loop uses; on a context of WebGPU or the CPU. */
export function oursContender({
  library,
  context,
  name = 'ours',
  rotate = 0,
  ...wishes
}: OursOptions): Contender {
  return {
    name,
    async prepare(of, data) {
      const sets = tensorSets(context, of, data, rotate);
      const free = (): void => {
        for (const set of sets.all) for (const tensor of Object.values(set)) tensor.destroy();
      };
      try {
        const prepared = await preparePlan(library, context, of, sets, wishes);
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
