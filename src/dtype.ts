import { encodeHalf } from './encodeHalf.js';
import { invalid } from './errors.js';

/** 16-bit floats: storage only, all arithmetic is in 32 bits. */
export type HalfDType = 'f16' | 'bf16';
/** Element types of logits, probabilities and gradients. */
export type FloatDType = 'f32' | HalfDType;
/** Element types of tensors. */
export type DType = FloatDType | 'i32' | 'u32';

/** The arrays that tensors are read into; of 16-bit floats it is a Float32Array. */
export type TypedArray = Float32Array | Int32Array | Uint32Array;

/** The arrays that tensors are made from. A Uint16Array holds the raw bits of 16-bit floats. */
export type TensorData = TypedArray | Uint16Array;

/** Bytes of what WebGPU binds, copies and writes in. */
export const WORD_BYTES = 4;

/** `bytes`, rounded up to whole words. */
export function inWords(bytes: number): number {
  return Math.ceil(bytes / WORD_BYTES) * WORD_BYTES;
}

export const FLOATS: readonly FloatDType[] = ['f32', 'f16', 'bf16'];

const ARRAYS: {
  readonly [D in DType]: new (
    buffer: ArrayBuffer,
    offset?: number,
    length?: number,
  ) => TensorData;
} = {
  f32: Float32Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
};

/** Throws `InvalidArgumentError` unless `dtype` is one. */
export function checkDType(op: string, dtype: unknown): void {
  if (typeof dtype === 'string' && Object.hasOwn(ARRAYS, dtype)) return;
  invalid(op, `dtype '${String(dtype)}' is unknown; use one of ${Object.keys(ARRAYS).join(', ')}.`);
}

export function isFloat(dtype: DType): dtype is FloatDType {
  return (FLOATS as readonly DType[]).includes(dtype);
}

export function isHalf(dtype: DType): dtype is HalfDType {
  return dtype === 'f16' || dtype === 'bf16';
}

/** Bytes of one element. */
export function bytesOf(dtype: DType): number {
  return isHalf(dtype) ? 2 : 4;
}

/** The elements of `dtype` at the beginning of `buffer`; 16-bit floats as raw bits. */
export function arrayOver(dtype: DType, buffer: ArrayBuffer, elements: number): TensorData {
  return new ARRAYS[dtype](buffer, 0, elements);
}

/**
 * Checks data handed in by the caller, and makes it what a tensor of `wanted` (default: the array's own dtype) holds: 16-bit floats come
 * as raw bits in a Uint16Array, as a Float16Array, or as a Float32Array, which is rounded.
 */
export function checkData(
  op: string,
  name: string,
  data: unknown,
  wanted?: DType,
): { readonly data: TensorData; readonly dtype: DType } {
  const fail = (message: string): never => {
    invalid(op, `${name} ${message}`);
  };
  if (wanted !== undefined) checkDType(op, wanted);
  const elements = elementsOf(data);
  if (elements === undefined) {
    const kind = Object.prototype.toString.call(data).slice(8, -1);
    return fail(
      `must be a Float32Array, Int32Array, Uint32Array or (raw 16-bit floats) Uint16Array, got ${kind}.` +
        (kind === 'Float64Array' ? ' Convert with Float32Array.from(data).' : '') +
        (kind === 'BigInt64Array' ? ' Convert with Int32Array.from(data, Number).' : ''),
    );
  }
  const { array, dtype: own } = elements;
  checkMemory(op, name, array);
  const dtype = wanted ?? own;
  if (dtype === undefined) {
    return fail("is a Uint16Array, the raw bits of 16-bit floats; make a tensor with dtype 'f16' or 'bf16'.");
  }
  if (own === undefined ? isHalf(dtype) : own === dtype) return { data: array, dtype };
  if (own === 'f32' && isHalf(dtype)) return { data: encodeHalf(dtype, array), dtype };
  const holds = own === undefined ? 'raw 16-bit floats' : own;
  return fail(`holds ${holds} (${array.constructor.name}); that does not fit dtype '${dtype}'.`);
}

/** The elements of an array and what they are; a Uint16Array does not say. */
function elementsOf(
  data: unknown,
): { readonly array: TensorData; readonly dtype: DType | undefined } | undefined {
  for (const dtype of ['f32', 'i32', 'u32'] as const) {
    if (data instanceof ARRAYS[dtype]) return { array: data, dtype };
  }
  if (data instanceof Uint16Array) return { array: data, dtype: undefined };
  // Not in all engines yet.
  const { Float16Array } = globalThis as { Float16Array?: new () => Uint16Array };
  if (Float16Array === undefined || !(data instanceof Float16Array)) return undefined;
  return { array: new Uint16Array(data.buffer, data.byteOffset, data.length), dtype: 'f16' };
}

/** Views of shared memory are refused because it may change, and some implementations crash on it. */
function checkMemory(op: string, name: string, array: TensorData): void {
  if (!(array.buffer instanceof ArrayBuffer)) {
    invalid(op, `${name} is a view of shared memory; copy it first: data.slice().`);
  }
  if (isDetached(array)) {
    invalid(op, `${name} is detached: its memory was transferred.`);
  }
}

/** A view of a detached buffer has length 0 and cannot be sliced. */
function isDetached(array: TensorData): boolean {
  if (array.length > 0) return false;
  try {
    (array.buffer as ArrayBuffer).slice(0, 0);
    return false;
  } catch {
    return true;
  }
}
