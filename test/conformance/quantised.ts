// The golden cases once more with their matrices in 16 bits: the inputs rounded, the outputs what exact arithmetic makes of those.

import { decodeHalf, encodeHalf } from '../../src/half.js';
import type { Context, Tensor } from '../../src/index.js';
import type { GoldenCase, GoldenTensor } from '../support/golden.js';
import { halfUnitOf } from '../support/ledger.js';
import { hasValues } from './contract.js';
import { ORACLE } from './oracle.js';

export type Half = 'f16' | 'bf16';
export const HALVES: readonly Half[] = ['f16', 'bf16'];

/** The case with its matrices rounded to `dtype`; undefined where it has no values. */
export function quantised(golden: GoldenCase, dtype: Half): GoldenCase | undefined {
  const oracle = ORACLE[golden.op];
  if (!oracle || !hasValues(golden)) return undefined;
  const inputs = Object.fromEntries(
    Object.entries(golden.inputs).map(([name, tensor]) => [
      name,
      isMatrix(golden, name, tensor) ? rounded(tensor, dtype) : tensor,
    ]),
  );
  const made: GoldenCase = { ...golden, name: `${golden.name} ${dtype}`, dtype, inputs, outputs: {} };
  const outputs = Object.fromEntries(
    Object.entries(oracle(made)).map(([name, data]): [string, GoldenTensor] => [
      name,
      { dtype: 'f64', shape: [data.length], data },
    ]),
  );
  return { ...made, outputs };
}

/** A matrix of the case, in the dtype that it wants. */
export function matrix(
  ctx: Context,
  golden: GoldenCase,
  data: Float32Array,
  shape: readonly number[],
): Tensor {
  if (golden.dtype === undefined) return ctx.tensor(data, shape);
  return ctx.tensor(encodeHalf(golden.dtype, data), shape, golden.dtype);
}

/** What a value that is off by `bound` may be off by once it is stored. */
export function stored(golden: GoldenCase, value: number, bound: number): number {
  return golden.dtype === undefined ? bound : bound + halfUnitOf(golden.dtype, Math.abs(value) + bound);
}

/** A class weight has one element a class and stays in 32 bits, as the upstream gradient of losses does. */
function isMatrix({ op }: GoldenCase, name: string, tensor: GoldenTensor): boolean {
  if (tensor.dtype !== 'f32' || name === 'pos_weight') return false;
  const binary = op === 'bce_with_logits';
  if (name === 'weight') return binary;
  if (name !== 'grad_output') return true;
  return op === 'softmax' || op === 'log_softmax';
}

function rounded(tensor: GoldenTensor, dtype: Half): GoldenTensor {
  const { shape } = tensor;
  return {
    dtype: 'f32',
    shape,
    // As lazy as a generated tensor is.
    get data() {
      return decodeHalf(dtype, encodeHalf(dtype, tensor.data));
    },
  };
}
