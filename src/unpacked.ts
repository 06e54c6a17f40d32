// What reads of 16-bit floats and of padded rows need besides: loaded by the first one.
import { arrayOver, bytesOf, type TensorData, type TypedArray } from './dtype.js';
import { decoded } from './half.js';
import { elementCount } from './shape.js';
import type { Tensor } from './tensor.js';

/** The elements of a tensor without the padding of its rows, as values. */
export function unpacked({ shape, rowStride, dtype }: Tensor, padded: TensorData): TypedArray {
  const length = shape.at(-1) ?? 1;
  if (rowStride === length || padded.length === 0) return decoded(dtype, padded);
  const count = elementCount(shape);
  const packed = arrayOver(dtype, new ArrayBuffer(count * bytesOf(dtype)), count);
  for (let row = 0; row * length < count; row++) {
    packed.set(padded.subarray(row * rowStride, row * rowStride + length), row * length);
  }
  return decoded(dtype, packed);
}
