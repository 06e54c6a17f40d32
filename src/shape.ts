import { invalid } from './errors.js';

/**
 * How a dense array splits around its class axis.
 *
 * Row `r`, class `c` is element `floor(r / inner) * classes * inner + c * inner + r % inner`;
 * with the class axis last, `inner` is 1 and rows are contiguous.
 */
export interface Layout {
  readonly shape: readonly number[];
  /** The class axis, counted from the front. */
  readonly axis: number;
  /** Product of the dimensions before the class axis. */
  readonly outer: number;
  readonly classes: number;
  /** Product of the dimensions behind the class axis: the distance between two classes of a row. */
  readonly inner: number;
  /** Number of rows, `outer * inner`. */
  readonly rows: number;
}

/** Number of elements of `shape`; 1 for `[]`. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Elements from the first to the last of `shape`, where rows (the last dimension) are `rowStride` elements apart. */
export function spanOf(shape: readonly number[], rowStride: number | undefined): number {
  const count = elementCount(shape);
  const length = shape.at(-1) ?? 1;
  return count === 0 ? 0 : (count / length - 1) * (rowStride ?? length) + length;
}

/** `[2, 3]`, as messages print a shape. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}

/** Throws `InvalidArgumentError` unless `shape` is an array of whole numbers, none negative. */
export function checkShape(op: string, name: string, shape: readonly number[]): void {
  if (!Array.isArray(shape)) {
    invalid(op, `${name} must be an array of whole numbers, got ${String(shape)}.`);
  }
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      invalid(
        op,
        `${name} ${formatShape(shape)} has the dimension ${String(size)}; dimensions are whole numbers from 0.`,
        { shapes: { [name]: shape } },
      );
    }
  }
  if (!Number.isSafeInteger(elementCount(shape))) {
    invalid(op, `${name} ${formatShape(shape)} has too many elements.`);
  }
}

/** Splits `shape` at `axis` (negative counts from the back). Throws `InvalidArgumentError` if there is no such axis or no class. */
export function layoutOf(op: string, shape: readonly number[], axis = -1): Layout {
  const rank = shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    invalid(
      op,
      rank === 0
        ? 'logits of shape [] have no class axis; give at least [classes].'
        : `axis ${String(axis)} is not an axis of ${formatShape(shape)}; use ${-rank} … ${rank - 1}.`,
      { shapes: { logits: shape } },
    );
  }
  const at = axis < 0 ? axis + rank : axis;
  const classes = shape[at] as number;
  if (classes === 0) {
    invalid(
      op,
      `the class axis (${axis}) of ${formatShape(shape)} has size 0; a distribution needs at least one class.`,
      { shapes: { logits: shape } },
    );
  }
  const outer = elementCount(shape.slice(0, at));
  const inner = elementCount(shape.slice(at + 1));
  return { shape: [...shape], axis: at, outer, classes, inner, rows: outer * inner };
}

/** The shape of one value a row: `shape` without its class axis (or with 1 there). */
export function rowShape(layout: Layout, keepDims = false): number[] {
  const shape = [...layout.shape];
  shape.splice(layout.axis, 1, ...(keepDims ? [1] : []));
  return shape;
}
