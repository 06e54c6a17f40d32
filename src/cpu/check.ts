import { InvalidArgumentError } from '../errors.js';
import { checkShape, elementCount, formatShape, type Layout, layoutOf } from '../shape.js';

/** Splits `shape` at `axis`. Throws `InvalidArgumentError` if either is not usable. */
export function checkedLayout(op: string, shape: readonly number[], axis: number | undefined): Layout {
  checkShape(op, 'shape', shape);
  return layoutOf(op, shape, axis ?? -1);
}

/** Throws `InvalidArgumentError` unless `values` holds one number for each element of `shape`. */
export function checkLength(
  op: string,
  name: string,
  values: ArrayLike<number>,
  shape: readonly number[],
): void {
  const wanted = elementCount(shape);
  if (values?.length !== wanted) {
    throw new InvalidArgumentError(
      `${op}: ${name} holds ${String(values?.length)} values, but the shape ${formatShape(shape)} needs ${wanted}.`,
      { op, shapes: { [name]: shape } },
    );
  }
}

/** Throws `InvalidArgumentError` unless `value` is a finite number above 0. */
export function checkPositive(op: string, name: string, value: number): void {
  if (!(Number.isFinite(value) && value > 0)) {
    throw new InvalidArgumentError(`${op}: ${name} must be a finite number above 0, got ${String(value)}.`, {
      op,
    });
  }
}
