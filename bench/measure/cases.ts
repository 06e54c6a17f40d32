import type { FloatDType } from 'webgpu-loss';
import type { Case, OpName } from './contender.js';

export type Shape = readonly [rows: number, classes: number];

/** From few classes to a long row, and the vocabularies of today's language models. */
export const SHAPES: readonly Shape[] = [
  [4096, 10],
  [1024, 1000],
  [65536, 64],
  [256, 32768],
  [64, 50257],
  [16, 151936],
  [2, 262144],
];

/** Small enough for a look in passing. */
export const QUICK_SHAPES: readonly Shape[] = [
  [4096, 10],
  [256, 1000],
  [16, 32768],
];

/** From 8 to 262,144 classes in powers of two, always the same number of elements. */
export function sweep(elements = 2 ** 22): readonly Shape[] {
  return Array.from({ length: 16 }, (_, k) => 2 ** (k + 3)).map((classes) => [
    Math.max(1, elements / classes),
    classes,
  ]);
}

/** Dtypes of logits. */
export const DTYPES: readonly FloatDType[] = ['f32', 'f16', 'bf16'];

/** Every op on every shape in every dtype; the cases of a shape follow each other, so that they can share data. */
export function casesOf(
  ops: readonly OpName[],
  shapes: readonly Shape[],
  dtypes: readonly FloatDType[],
): readonly Case[] {
  return dtypes.flatMap((dtype) =>
    shapes.flatMap(([rows, classes]) => ops.map((op) => ({ op, rows, classes, dtype }))),
  );
}

export function nameOf({ op, rows, classes, dtype }: Case): string {
  return `${op} ${rows}x${classes} ${dtype}`;
}
