// How the CPU computes each op: from its settings and the arrays of its roles. In float64, by the functions of `webgpu-loss/cpu`, or where
// there is one by a faster form for float32 results.
import { isFloat } from '../dtype.js';
import type { Layout } from '../shape.js';
import type { CpuArray, CpuArrays, OutOfRange, Role, SpecOf } from '../spec.js';
import { binaryCrossEntropy } from './binaryCrossEntropy.js';
import { crossEntropy, type Reduction } from './crossEntropy.js';
import { entropy } from './entropy.js';
import { crossEntropy as crossEntropyOfIndices } from './float32/crossEntropy.js';
import { logSumExp } from './float32/logSumExp.js';
import type { RowMachine } from './float32/rows.js';
import { logSoftmax, softmax } from './float32/softmax.js';
import { type KlTarget, klDivergence } from './klDivergence.js';
import { linearCrossEntropy } from './linearCrossEntropy.js';
import { logitStats } from './logitStats.js';
import { logSumExpGrad } from './logSumExp.js';
import { nllLoss } from './nllLoss.js';
import { logSoftmaxGrad, softmaxGrad } from './softmax.js';

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
  readonly linearCrossEntropy: Omit<CpuSettings['crossEntropy'], 'grad'> & {
    readonly hidden: Role;
    readonly gradHidden: boolean;
    readonly gradWeight: boolean;
    readonly gradBias: boolean;
    readonly gradFilter: number;
  };
  readonly nllLoss: Reduced & { readonly ignoreIndex: number };
  readonly entropy: Reduced;
  readonly binaryCrossEntropy: Reduced;
  readonly klDivergence: Reduced &
    Tempered & { readonly kind: KlTarget; readonly scaleByTemperatureSquared: boolean };
  readonly logitStats: Laid & { readonly topK: number | undefined };
}

/** Results by role that are still to be written, and the first target out of range. What has no role in the call is not wanted. */
interface Results {
  readonly [role: string]: object | undefined;
  readonly outOfRange?: OutOfRange | undefined;
}

type Forms = {
  readonly [Op in keyof CpuSettings]: (
    settings: CpuSettings[Op],
    arrays: CpuArrays,
    machine: RowMachine,
  ) => Results;
};

const FORMS: Forms = {
  softmax: ({ layout, temperature }, arrays, machine) => {
    softmax(machine, input(arrays, 'logits'), input(arrays, 'output'), layout, temperature);
    return {};
  },
  logSoftmax: ({ layout, temperature }, arrays, machine) => {
    logSoftmax(machine, input(arrays, 'logits'), input(arrays, 'output'), layout, temperature);
    return {};
  },
  logSumExp: ({ layout }, arrays, machine) => {
    logSumExp(machine, input(arrays, 'logits'), input(arrays, 'output'), layout);
    return {};
  },
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
  crossEntropy: (settings, arrays, machine) => {
    const { labelSmoothing, temperature, softcap, zLoss, ignoreIndex, grad, targets, layout } = settings;
    const logits = input(arrays, 'logits');
    const byIndex = !isFloat(targets.dtype);
    const options = {
      ...reduced(settings, arrays),
      labelSmoothing,
      temperature,
      zLoss,
      ignoreIndex: byIndex ? ignoreIndex : undefined,
      weight: arrays['weight'],
    };
    if (byIndex && softcap === undefined) {
      const outputs = {
        loss: input(arrays, 'loss'),
        grad: grad === 'in-place' ? logits : arrays['grad'],
        logSumExp: arrays['logSumExp'],
      };
      const classes = indices(arrays) as Int32Array;
      return { outOfRange: crossEntropyOfIndices(machine, logits, classes, layout.shape, options, outputs) };
    }
    const result = crossEntropy(logits, input(arrays, 'targets'), layout.shape, { ...options, softcap });
    return { ...result, logits: grad === 'in-place' ? result.grad : undefined };
  },
  linearCrossEntropy: (settings, arrays) => {
    const { layout, hidden, labelSmoothing, temperature, softcap, zLoss, ignoreIndex, gradFilter } = settings;
    const { axis: _, grad: __, ...options } = reduced({ ...settings, grad: false }, arrays);
    return {
      ...linearCrossEntropy(
        input(arrays, 'hidden'),
        input(arrays, 'weight'),
        indices(arrays) as Int32Array,
        [layout.rows, hidden.shape.at(-1) as number, layout.classes],
        {
          ...options,
          ...{ labelSmoothing, temperature, softcap, zLoss, ignoreIndex, gradFilter },
          bias: arrays['bias'],
          classWeight: arrays['classWeight'],
          grad: { hidden: settings.gradHidden, weight: settings.gradWeight, bias: settings.gradBias },
        },
      ),
    };
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
export function compute<Op extends keyof CpuSettings>(
  { op, settings }: SpecOf<Op>,
  arrays: CpuArrays,
  machine: RowMachine,
): OutOfRange | undefined {
  const { outOfRange, ...results } = FORMS[op](settings, arrays, machine);
  for (const [role, values] of Object.entries(results)) {
    if (values !== undefined) arrays[role]?.set(values as ArrayLike<number>);
  }
  return outOfRange;
}
