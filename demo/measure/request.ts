// What may be measured: what people ask for, checked against the device and the page.
import type { AdapterLimits } from 'webgpu-loss';
import { sweep } from '../../bench/measure/cases.js';
import type { Case, OpName } from '../../bench/measure/contender.js';
import { sizeOf, tensorsOf } from '../../bench/measure/tensors.js';
import { bytes, count } from '../format.js';

export const OPS = {
  softmax: 'softmax',
  logSoftmax: 'log-softmax',
  logSumExp: 'log-sum-exp',
  crossEntropy: 'cross-entropy',
  crossEntropyGrad: 'cross-entropy with gradient',
} as const satisfies { readonly [O in OpName]?: string };

export const DTYPES = { f32: 'f32', f16: 'f16', bf16: 'bf16' } as const;

/** Logits in a case, at most: the page checks results in float64, and a tab has less memory than a machine. */
export const MOST_ELEMENTS = 2 ** 23;

/** A number of rows or classes from what was typed. Throws `RangeError` that says what to type. */
export function readCount(what: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${what} must be a whole number from 1, not "${text}".`);
  }
  return value;
}

/** Throws `RangeError` where a case is too large, with what is too large for what. */
export function checkSize(of: Case, limits: AdapterLimits): void {
  const elements = of.rows * of.classes;
  if (elements > MOST_ELEMENTS) {
    throw new RangeError(
      `${count(of.rows)} rows of ${count(of.classes)} classes are ${count(elements)} logits; this page measures at most ` +
        `${count(MOST_ELEMENTS)}. Take fewer rows or classes.`,
    );
  }
  const allowed = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  for (const tensor of tensorsOf(of.op)) {
    const size = sizeOf(tensor, of);
    if (size > allowed) {
      throw new RangeError(
        `${tensor.name} of ${count(of.rows)} × ${count(of.classes)} ${of.dtype} has ${bytes(size)}; this device binds at most ` +
          `${bytes(allowed)} at once. Take fewer rows or classes.`,
      );
    }
  }
}

/** Class counts from 8 on in powers of two, all with about as many logits as the case; those that the device can do. */
export function sweepOf(of: Case, limits: AdapterLimits): readonly Case[] {
  checkSize(of, limits);
  const elements = 2 ** Math.round(Math.log2(of.rows * of.classes));
  const cases = sweep(elements)
    .filter(([, classes]) => classes <= elements)
    .map(([rows, classes]): Case => ({ ...of, rows, classes }));
  if (cases.length < 2) {
    throw new RangeError(`A sweep needs at least 16 logits; ${count(of.rows * of.classes)} are too few.`);
  }
  for (const each of cases) checkSize(each, limits);
  return cases;
}
