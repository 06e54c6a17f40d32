import { InvalidArgumentError } from './errors.js';

/** Element types of tensors. */
export type DType = 'f32' | 'i32' | 'u32';

/** The arrays that tensors are made from and read into; each names its dtype. */
export type TypedArray = Float32Array | Int32Array | Uint32Array;

/** Bytes of one element. */
export const ELEMENT_BYTES = 4;

const ARRAYS: { readonly [D in DType]: new (buffer: ArrayBuffer) => TypedArray } = {
  f32: Float32Array,
  i32: Int32Array,
  u32: Uint32Array,
};

export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

/** The typed array of `dtype` over `buffer`. */
export function arrayOver(dtype: DType, buffer: ArrayBuffer): TypedArray {
  return new ARRAYS[dtype](buffer);
}

/** The dtype a typed array stands for, or undefined. */
export function dtypeOf(array: unknown): DType | undefined {
  if (array instanceof Float32Array) return 'f32';
  if (array instanceof Int32Array) return 'i32';
  if (array instanceof Uint32Array) return 'u32';
  return undefined;
}

/**
 * Checks data handed in by the caller: a Float32Array, Int32Array or Uint32Array over a plain, attached ArrayBuffer.
 * Views of shared memory are refused because it may change, and some implementations crash on it.
 */
export function checkData(op: string, name: string, data: unknown): { data: TypedArray; dtype: DType } {
  const dtype = dtypeOf(data);
  if (dtype === undefined) {
    const kind = Object.prototype.toString.call(data).slice(8, -1);
    throw new InvalidArgumentError(
      `${op}: ${name} must be a Float32Array, Int32Array or Uint32Array, got ${kind}.` +
        (kind === 'Float64Array' ? ' Convert with Float32Array.from(data).' : '') +
        (kind === 'BigInt64Array' ? ' Convert with Int32Array.from(data, Number).' : ''),
      { op },
    );
  }
  const array = data as TypedArray;
  if (!(array.buffer instanceof ArrayBuffer)) {
    throw new InvalidArgumentError(
      `${op}: ${name} is a view of shared memory; copy it first: data.slice().`,
      { op },
    );
  }
  if (isDetached(array)) {
    throw new InvalidArgumentError(`${op}: ${name} is detached: its memory was transferred elsewhere.`, {
      op,
    });
  }
  return { data: array, dtype };
}

/** A view of a detached buffer has length 0 and cannot be sliced. */
function isDetached(array: TypedArray): boolean {
  if (array.length > 0) return false;
  try {
    (array.buffer as ArrayBuffer).slice(0, 0);
    return false;
  } catch {
    return true;
  }
}
