// What losses may differ by, and the numbers in files.
import { readFileSync } from 'node:fs';
import { openArray } from '../../src/cli/files/arrayFile.js';
import { CONSERVATIVE, indexLossBound, rowFacts } from '../support/bounds.js';

/** How far the mean loss of rows may be from PyTorch's, which is float64. */
export function meanLossBound(
  logits: ArrayLike<number>,
  classes: number,
  targets: ArrayLike<number>,
): number {
  let sum = 0;
  for (let r = 0; r < targets.length; r++) {
    const row = Float64Array.from({ length: classes }, (_, c) => logits[r * classes + c] as number);
    sum += indexLossBound(rowFacts(row, CONSERVATIVE), targets[r] as number);
  }
  return sum / targets.length;
}

/** The elements of an .npy file of floats of 32 bits, or of whole numbers of 64. */
export async function valuesOf(
  path: string,
): Promise<{ values: ArrayLike<number>; shape: readonly number[] }> {
  const bytes = readFileSync(path);
  const file = await openArray({ path }, '');
  const offset = 10 + bytes.readUInt16LE(8);
  await file.close();
  const copy = bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + bytes.length);
  const values =
    file.dtype === 'f32' ? new Float32Array(copy) : Float64Array.from(new BigInt64Array(copy), Number);
  return { values, shape: file.shape };
}
