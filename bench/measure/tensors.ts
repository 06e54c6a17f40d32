import { bytesOf, type DType } from '../../src/dtype.js';
import type { Case, OpName } from './contender.js';

/** A tensor that an operation reads or writes, under its name in the plans. */
export interface CaseTensor {
  readonly name: string;
  readonly use: 'in' | 'out';
  /** One value for each element of the logits, for each row, or one in all. */
  readonly per: 'element' | 'row' | 'case';
  /** Of what has one value a row or in all; elements have the dtype of the case. */
  readonly dtype: 'f32' | 'i32';
  /** Elements of it that must be moved, where not all. */
  readonly moved?: 'row';
}

const elements = (use: 'in' | 'out', ...names: readonly string[]): CaseTensor[] =>
  names.map((name) => ({ name, use, per: 'element', dtype: 'f32' }));
const rows = (use: 'in' | 'out', name: string, dtype: 'f32' | 'i32' = 'f32'): CaseTensor => ({
  name,
  use,
  per: 'row',
  dtype,
});
const whole = (name: string): CaseTensor => ({ name, use: 'out', per: 'case', dtype: 'f32' });
const targets = rows('in', 'targets', 'i32');

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
    { name: 'logProbs', use: 'in', per: 'element', dtype: 'f32', moved: 'row' },
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
};

export const OPS = Object.keys(TENSORS) as readonly OpName[];

export function tensorsOf(op: OpName): readonly CaseTensor[] {
  return TENSORS[op];
}

export function shapeOf({ per }: CaseTensor, of: Case): readonly number[] {
  return { element: [of.rows, of.classes], row: [of.rows], case: [] }[per];
}

export function dtypeOf({ per, dtype }: CaseTensor, of: Case): DType {
  return per === 'element' ? of.dtype : dtype;
}

/** Elements of a tensor. */
export function countOf(tensor: CaseTensor, of: Case): number {
  return shapeOf(tensor, of).reduce((product, size) => product * size, 1);
}

/** Bytes of a tensor. */
export function sizeOf(tensor: CaseTensor, of: Case): number {
  return countOf(tensor, of) * bytesOf(dtypeOf(tensor, of));
}
