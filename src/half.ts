// The 16-bit floats, as raw bits. What makes them is a module of its own, which every app loads.
import { type DType, type HalfDType, isHalf, type TensorData, type TypedArray } from './dtype.js';

export { encodeHalf } from './encodeHalf.js';

/** Raw bits as the values they stand for. */
export function decoded(dtype: DType, data: TensorData): TypedArray {
  return isHalf(dtype) ? decodeHalf(dtype, data as Uint16Array) : (data as TypedArray);
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The values, exactly; NaN stays NaN. */
export function decodeHalf(dtype: HalfDType, bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = new Float32Array(bits.length);
  const decode = dtype === 'f16' ? decodeF16 : decodeBf16;
  for (let i = 0; i < bits.length; i++) values[i] = decode(bits[i] as number);
  return values;
}

function decodeBf16(bits: number): number {
  singleBits[0] = bits << 16;
  return single[0] as number;
}

function decodeF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (fraction + 0x400) * 2 ** (exponent - 25);
}
