import type { FloatDType } from 'webgpu-loss';
import type { Case, OpName } from './contender.js';
import { isLinear } from './tensors.js';

export type Shape = readonly [rows: number, classes: number];

/** A shape of a linear layer. */
export type LinearShape = readonly [rows: number, features: number, classes: number];

export type AnyShape = Shape | LinearShape;

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

/** Heads of language models that take a software adapter a second or less: batches are small, vocabularies are not. */
export const LINEAR_SHAPES: readonly LinearShape[] = [
  [256, 256, 8192],
  [128, 128, 50257],
  [64, 256, 32768],
];

/** For hardware: GPT-2's head, one of 1,024 features, one of the vocabulary of GPT-4o, and that of Llama 3. */
export const LARGE_LINEAR_SHAPES: readonly LinearShape[] = [
  [4096, 768, 50257],
  [8192, 1024, 32768],
  [2048, 256, 200019],
  [4096, 2048, 128256],
];

export const QUICK_LINEAR_SHAPES: readonly LinearShape[] = [[32, 64, 2000]];

/** From 8 to 262,144 classes in powers of two, always the same number of elements. */
export function sweep(elements: number): readonly Shape[] {
  return Array.from({ length: 16 }, (_, k) => 2 ** (k + 3)).map((classes) => [
    Math.max(1, elements / classes),
    classes,
  ]);
}

/** Dtypes of logits. */
export const DTYPES: readonly FloatDType[] = ['f32', 'f16', 'bf16'];

/**
 * Every op on every shape of its kind in every dtype: a linear layer's on those that have features, the others on those that have none. The
 * cases of a shape follow each other, so that they can share data.
 */
export function casesOf(
  ops: readonly OpName[],
  shapes: readonly AnyShape[],
  dtypes: readonly FloatDType[],
): readonly Case[] {
  return dtypes.flatMap((dtype) =>
    shapes.flatMap((shape) =>
      ops.filter((op) => isLinear(op) === isLinearShape(shape)).map((op) => caseOf(op, shape, dtype)),
    ),
  );
}

function caseOf(op: OpName, shape: AnyShape, dtype: FloatDType): Case {
  if (!isLinearShape(shape)) return { op, rows: shape[0], classes: shape[1], dtype };
  return { op, rows: shape[0], features: shape[1], classes: shape[2], dtype };
}

export function isLinearShape(shape: AnyShape): shape is LinearShape {
  return shape.length === 3;
}

/** The shape of a case, or of a row of results. */
export function shapeOfCase({
  rows,
  features,
  classes,
}: Pick<Case, 'rows' | 'features' | 'classes'>): AnyShape {
  return features === undefined ? [rows, classes] : [rows, features, classes];
}

export function nameOf(of: Case): string {
  return `${of.op} ${shapeOfCase(of).join('x')} ${of.dtype}`;
}
