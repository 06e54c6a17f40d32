// What an array in a file is.
import { type ByteSource, FileError } from './byteSource.js';

/** Bytes of an element, by type. */
const BYTES = {
  f64: 8,
  f32: 4,
  f16: 2,
  bf16: 2,
  i64: 8,
  u64: 8,
  i32: 4,
  u32: 4,
  i16: 2,
  u16: 2,
  i8: 1,
  u8: 1,
} as const;

/** Types of elements that can be read; little-endian. */
export type StoredDType = keyof typeof BYTES;

export function storedBytes(dtype: StoredDType): number {
  return BYTES[dtype];
}

/** An array and where it lies: dense, row-major, little-endian. */
export interface StoredArray {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** The byte where its first element begins. */
  readonly offset: number;
}

/** Bytes that an array takes; throws FileError where these are too many to count. */
export function sizeOf(file: ByteSource, dtype: StoredDType, shape: readonly number[]): number {
  const bytes = shape.reduce((product, size) => product * size, storedBytes(dtype));
  // A dimension of 0 must not hide another one that is beyond all bounds.
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(bytes)) {
    throw new FileError(file.name, `has the shape [${shape.join(', ')}], which is too large.`);
  }
  return bytes;
}
