import { bytesOf, type DType } from '../../src/dtype.js';
import type { Case, OpName } from './contender.js';

/** A tensor that an operation reads or writes, under its name in the plans. */
export interface CaseTensor {
  readonly name: string;
  readonly use: 'in' | 'out';
  /** One value for each element of the logits, for each row, or one in all; or the matrix of hidden states, or that of weights. */
  readonly per: 'element' | 'row' | 'case' | 'hidden' | 'weight';
  /** `'case'`: that of the case. */
  readonly dtype: 'case' | 'f32' | 'i32';
  /** Elements of it that must be moved, where not all. */
  readonly moved?: 'row';
}

const elements = (use: 'in' | 'out', ...names: readonly string[]): CaseTensor[] =>
  names.map((name) => ({ name, use, per: 'element', dtype: 'case' }));
const rows = (use: 'in' | 'out', name: string, dtype: 'f32' | 'i32' = 'f32'): CaseTensor => ({
  name,
  use,
  per: 'row',
  dtype,
});
const whole = (name: string): CaseTensor => ({ name, use: 'out', per: 'case', dtype: 'f32' });
const targets = rows('in', 'targets', 'i32');
/** Of a linear layer; the gradients are f32 whatever the operands are. */
const operands: readonly CaseTensor[] = [
  { name: 'hidden', use: 'in', per: 'hidden', dtype: 'case' },
  { name: 'weight', use: 'in', per: 'weight', dtype: 'case' },
];

/** What each operation reads and writes. Losses are means over the rows, and come with their gradients unless the name says otherwise. */
const TENSORS: { readonly [O in OpName]: readonly CaseTensor[] } = {
  softmax: [...elements('in', 'logits'), ...elements('out', 'output')],
  logSoftmax: [...elements('in', 'logits'), ...elements('out', 'output')],
  logSumExp: [...elements('in', 'logits'), rows('out', 'output')],
  crossEntropy: [...elements('in', 'logits'), targets, whole('loss')],
  crossEntropyGrad: [...elements('in', 'logits'), targets, whole('loss'), ...elements('out', 'grad')],
  softmaxGrad: [...elements('in', 'probs', 'gradOutput'), ...elements('out', 'grad')],
  logSoftmaxGrad: [...elements('in', 'logProbs', 'gradOutput'), ...elements('out', 'grad')],
  logSumExpGrad: [
    ...elements('in', 'logits'),
    rows('in', 'lse'),
    rows('in', 'gradOutput'),
    ...elements('out', 'grad'),
  ],
  nllLoss: [
    { name: 'logProbs', use: 'in', per: 'element', dtype: 'case', moved: 'row' },
    targets,
    whole('loss'),
    ...elements('out', 'grad'),
  ],
  entropy: [...elements('in', 'logits'), whole('entropy'), ...elements('out', 'grad')],
  binaryCrossEntropy: [...elements('in', 'logits', 'targets'), whole('loss'), ...elements('out', 'grad')],
  klDivergence: [
    ...elements('in', 'logits', 'target'),
    whole('divergence'),
    ...elements('out', 'grad', 'gradTarget'),
  ],
  logitStats: [
    ...elements('in', 'logits'),
    targets,
    rows('out', 'logSumExp'),
    rows('out', 'entropy'),
    rows('out', 'argmax', 'i32'),
    rows('out', 'targetLogProb'),
    rows('out', 'targetRank', 'i32'),
  ],
  linearCrossEntropy: [...operands, targets, whole('loss')],
  linearCrossEntropyGrad: [
    ...operands,
    targets,
    whole('loss'),
    { name: 'gradHidden', use: 'out', per: 'hidden', dtype: 'f32' },
    { name: 'gradWeight', use: 'out', per: 'weight', dtype: 'f32' },
  ],
  matMul: [...operands, { name: 'logits', use: 'out', per: 'element', dtype: 'f32' }],
};

/** Everything that is timed anywhere. */
export const ALL_OPS = Object.keys(TENSORS) as readonly OpName[];

/** What the library exports. */
export type LibraryOp = Exclude<OpName, 'matMul'>;

export const OPS = ALL_OPS.filter(isLibraryOp);

export function isLibraryOp(op: OpName): op is LibraryOp {
  return op !== 'matMul';
}

/** What has the logits of a linear layer: its cases have features. */
export type LinearOp = 'linearCrossEntropy' | 'linearCrossEntropyGrad' | 'matMul';

export function isLinear(op: OpName): op is LinearOp {
  return TENSORS[op].some(({ per }) => per === 'weight');
}

/** The operations on logits that are there: rows and classes are all that their cases have. */
export const ROW_OPS = OPS.filter((op): op is RowOp => !isLinear(op));

export type RowOp = Exclude<OpName, LinearOp>;

export function tensorsOf(op: OpName): readonly CaseTensor[] {
  return TENSORS[op];
}

export function shapeOf({ per }: CaseTensor, of: Case): readonly number[] {
  const { rows: count, features = 0, classes } = of;
  return {
    element: [count, classes],
    row: [count],
    case: [],
    hidden: [count, features],
    weight: [classes, features],
  }[per];
}

export function dtypeOf({ dtype }: CaseTensor, of: Case): DType {
  return dtype === 'case' ? of.dtype : dtype;
}

/** Elements of a tensor. */
export function countOf(tensor: CaseTensor, of: Case): number {
  return shapeOf(tensor, of).reduce((product, size) => product * size, 1);
}

/** Bytes of a tensor. */
export function sizeOf(tensor: CaseTensor, of: Case): number {
  return countOf(tensor, of) * bytesOf(dtypeOf(tensor, of));
}
