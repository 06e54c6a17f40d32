// Bytes of files as the arrays that tensors are made from. Both are little-endian, and so is every machine that Node has WebGPU for.
import type { FloatDType } from '../../dtype.js';
import { decodeHalf } from '../../half.js';
import type { StoredDType } from '../files/stored.js';

export type FloatsDType = 'f64' | FloatDType;

export function isFloats(dtype: StoredDType): dtype is FloatsDType {
  return dtype === 'f64' || dtype === 'f32' || dtype === 'f16' || dtype === 'bf16';
}

/** The dtype of the tensor that logits of `dtype` go into: 16 bits stay as they are, unless a temperature divides them. */
export function tensorDType(dtype: FloatsDType, temperature: number): FloatDType {
  return dtype === 'f64' || temperature !== 1 ? 'f32' : dtype;
}

/** Elements in `bytes`, which begin a buffer; 16-bit floats as raw bits. */
export function floatsOf(
  dtype: FloatsDType,
  { buffer }: Uint8Array<ArrayBuffer>,
  count: number,
): Float64Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> {
  switch (dtype) {
    case 'f64':
      return new Float64Array(buffer, 0, count);
    case 'f32':
      return new Float32Array(buffer, 0, count);
    case 'f16':
    case 'bf16':
      return new Uint16Array(buffer, 0, count);
  }
}

/**
 * Writes elements divided by `temperature` to `out`, rounded once to float32.
 *
 * @returns the first element that is finite and would become infinite; -1 if there is none
 */
export function divideInto(
  out: Float32Array,
  dtype: FloatsDType,
  bytes: Uint8Array<ArrayBuffer>,
  temperature: number,
): number {
  const raw = floatsOf(dtype, bytes, out.length);
  const values = raw instanceof Uint16Array ? decodeHalf(dtype as 'f16' | 'bf16', raw) : raw;
  for (let i = 0; i < out.length; i++) {
    const value = values[i] as number;
    out[i] = value / temperature;
    if (!Number.isFinite(out[i]) && Number.isFinite(value)) return i;
  }
  return -1;
}

export function isWholes(dtype: StoredDType): boolean {
  return !isFloats(dtype);
}

/** Whole numbers in `bytes`, which begin a buffer; those of 64 bits rounded where they are beyond 2^53. */
export function wholesOf(
  dtype: StoredDType,
  { buffer }: Uint8Array<ArrayBuffer>,
  count: number,
): ArrayLike<number> {
  switch (dtype) {
    case 'i64':
      return Float64Array.from(new BigInt64Array(buffer, 0, count), Number);
    case 'u64':
      return Float64Array.from(new BigUint64Array(buffer, 0, count), Number);
    case 'i32':
      return new Int32Array(buffer, 0, count);
    case 'u32':
      return new Uint32Array(buffer, 0, count);
    case 'i16':
      return new Int16Array(buffer, 0, count);
    case 'u16':
      return new Uint16Array(buffer, 0, count);
    case 'i8':
      return new Int8Array(buffer, 0, count);
    case 'u8':
      return new Uint8Array(buffer, 0, count);
    default:
      throw new TypeError(`${dtype} is no type of whole numbers`);
  }
}
