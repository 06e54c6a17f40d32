// From numbers to 16-bit floats: IEEE binary16 (f16) and bfloat16 (bf16), as raw bits.
import type { HalfDType } from './dtype.js';

interface Format {
  /** Bits of the significand without the leading one. */
  readonly fraction: number;
  /** Exponent of the smallest normal number; that of the largest is its negative, plus one. */
  readonly least: number;
  readonly infinity: number;
  readonly nan: number;
}

const FORMATS: { readonly [D in HalfDType]: Format } = {
  f16: { fraction: 10, least: -14, infinity: 0x7c00, nan: 0x7e00 },
  bf16: { fraction: 7, least: -126, infinity: 0x7f80, nan: 0x7fc0 },
};

/** Each value rounded once, to nearest, ties to even; to infinity from half a unit past the largest number on. */
export function encodeHalf(dtype: HalfDType, values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const format = FORMATS[dtype];
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) bits[i] = encode(values[i] as number, format);
  return bits;
}

const double = new DataView(new ArrayBuffer(8));

function encode(value: number, { fraction, least, infinity, nan }: Format): number {
  if (Number.isNaN(value)) return nan;
  double.setFloat64(0, value);
  const high = double.getUint32(0);
  const sign = (high >>> 16) & 0x8000;
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, least);
  if (exponent > 1 - least) return sign | infinity;
  // In units of the last place; a carry into the exponent is what it should be, also the one to infinity.
  const units = roundToEven(Math.abs(value) * 2 ** (fraction - exponent));
  return sign | (units + (exponent - least) * 2 ** fraction);
}

/** A float64 of this size has no digits behind the point. */
const WHOLE = 2 ** 52;
function roundToEven(value: number): number {
  return value + WHOLE - WHOLE;
}
