// How the CPU computes each op: from its settings and the arrays of its roles, by the functions of `webgpu-loss/cpu`.
import { isFloat } from '../dtype.js';
import type { Layout } from '../shape.js';
import type { CpuArray, CpuArrays, OutOfRange, Role, SpecOf } from '../spec.js';
import { binaryCrossEntropy } from './binaryCrossEntropy.js';
import { crossEntropy, type Reduction } from './crossEntropy.js';
import { entropy } from './entropy.js';
import { type KlTarget, klDivergence } from './klDivergence.js';
import { logitStats } from './logitStats.js';
import { logSumExp, logSumExpGrad } from './logSumExp.js';
import { nllLoss } from './nllLoss.js';
import { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from './softmax.js';

interface Laid {
  readonly layout: Layout;
}

interface Tempered extends Laid {
  readonly temperature: number;
}

interface Reduced extends Laid {
  readonly reduction: Reduction;
  readonly grad: boolean | 'in-place';
  /** A number, or the role of a tensor. */
  readonly gradOutput: number | Role;
}

/** What the form of each op must know besides its arrays. */
export interface CpuSettings {
  readonly softmax: Tempered;
  readonly logSoftmax: Tempered;
  readonly logSumExp: Laid;
  readonly softmaxGrad: Laid;
  readonly logSoftmaxGrad: Laid;
  readonly logSumExpGrad: Laid;
  readonly crossEntropy: Reduced &
    Tempered & {
      readonly targets: Role;
      readonly ignoreIndex: number;
      readonly labelSmoothing: number;
      readonly softcap: number | undefined;
      readonly zLoss: number;
    };
  readonly nllLoss: Reduced & { readonly ignoreIndex: number };
  readonly entropy: Reduced;
  readonly binaryCrossEntropy: Reduced;
  readonly klDivergence: Reduced &
    Tempered & { readonly kind: KlTarget; readonly scaleByTemperatureSquared: boolean };
  readonly logitStats: Laid & { readonly topK: number | undefined };
}

/** Results by role, and the first target out of range. What has no role in the call is not wanted. */
interface Results {
  readonly [role: string]: object | undefined;
  readonly outOfRange?: OutOfRange | undefined;
}

type Forms = {
  readonly [Op in keyof CpuSettings]: (settings: CpuSettings[Op], arrays: CpuArrays) => Results;
};

const FORMS: Forms = {
  softmax: ({ layout: { shape, axis }, temperature }, arrays) => ({
    output: softmax(input(arrays, 'logits'), shape, { axis, temperature }),
  }),
  logSoftmax: ({ layout: { shape, axis }, temperature }, arrays) => ({
    output: logSoftmax(input(arrays, 'logits'), shape, { axis, temperature }),
  }),
  logSumExp: ({ layout: { shape, axis } }, arrays) => ({
    output: logSumExp(input(arrays, 'logits'), shape, { axis }),
  }),
  softmaxGrad: ({ layout: { shape, axis } }, arrays) => ({
    grad: softmaxGrad(input(arrays, 'probs'), input(arrays, 'gradOutput'), shape, { axis }),
  }),
  logSoftmaxGrad: ({ layout: { shape, axis } }, arrays) => ({
    grad: logSoftmaxGrad(input(arrays, 'logProbs'), input(arrays, 'gradOutput'), shape, { axis }),
  }),
  logSumExpGrad: ({ layout: { shape, axis } }, arrays) => {
    const [logits, lse, upstream] = ['logits', 'lse', 'gradOutput'].map((name) => input(arrays, name));
    return {
      grad: logSumExpGrad(logits as CpuArray, lse as CpuArray, upstream as CpuArray, shape, { axis }),
    };
  },
  crossEntropy: (settings, arrays) => {
    const { labelSmoothing, temperature, softcap, zLoss, ignoreIndex, grad, targets, layout } = settings;
    const result = crossEntropy(input(arrays, 'logits'), input(arrays, 'targets'), layout.shape, {
      ...reduced(settings, arrays),
      labelSmoothing,
      temperature,
      softcap,
      zLoss,
      ignoreIndex: isFloat(targets.dtype) ? undefined : ignoreIndex,
      weight: arrays['weight'],
    });
    return { ...result, logits: grad === 'in-place' ? result.grad : undefined };
  },
  nllLoss: (settings, arrays) => ({
    ...nllLoss(input(arrays, 'logProbs'), indices(arrays) as Int32Array, settings.layout.shape, {
      ...reduced(settings, arrays),
      ignoreIndex: settings.ignoreIndex,
      weight: arrays['weight'],
    }),
  }),
  entropy: (settings, arrays) => ({
    ...entropy(input(arrays, 'logits'), settings.layout.shape, reduced(settings, arrays)),
  }),
  binaryCrossEntropy: (settings, arrays) => {
    // No class axis to choose.
    const { axis: _, ...options } = reduced(settings, arrays);
    const [logits, targets] = [input(arrays, 'logits'), input(arrays, 'targets')];
    const { weight, posWeight } = arrays;
    return {
      ...binaryCrossEntropy(logits, targets, settings.layout.shape, { ...options, weight, posWeight }),
    };
  },
  klDivergence: (settings, arrays) => {
    const { layout, kind, temperature, scaleByTemperatureSquared } = settings;
    return {
      ...klDivergence(input(arrays, 'logits'), input(arrays, 'target'), layout.shape, {
        ...reduced(settings, arrays),
        target: kind,
        temperature,
        scaleByTemperatureSquared,
      }),
    };
  },
  logitStats: ({ layout: { shape, axis }, topK }, arrays) => {
    const { topK: list, ...perRow } = logitStats(input(arrays, 'logits'), indices(arrays), shape, {
      axis,
      topK,
    });
    return { ...perRow, topKValues: list?.values, topKIndices: list?.indices };
  },
};

function input(arrays: CpuArrays, role: string): CpuArray {
  return arrays[role] as CpuArray;
}

/** Class indices, if the call has any. */
function indices(arrays: CpuArrays): Int32Array | Uint32Array | undefined {
  return arrays['targets'] as Int32Array | Uint32Array | undefined;
}

/** The options that all functions with a reduction take. An upstream gradient in a tensor is one value for each result, or one for all. */
function reduced({ layout, reduction, grad, gradOutput }: Reduced, arrays: CpuArrays) {
  const values = input(arrays, 'gradOutput');
  const upstream =
    typeof gradOutput === 'number' ? gradOutput : gradOutput.broadcast ? (values[0] as number) : values;
  return { axis: layout.axis, reduction, grad: grad !== false, gradOutput: upstream };
}

/** Computes a spec on dense arrays by role; writes the outputs. Returns the first target out of range, if any. */
export function computeInFloat64<Op extends keyof CpuSettings>(
  { op, settings }: SpecOf<Op>,
  arrays: CpuArrays,
): OutOfRange | undefined {
  const { outOfRange, ...results } = FORMS[op](settings, arrays);
  for (const [role, values] of Object.entries(results)) {
    if (values !== undefined) arrays[role]?.set(values as ArrayLike<number>);
  }
  return outOfRange;
}
