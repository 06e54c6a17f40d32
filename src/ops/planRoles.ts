import { type DType, isFloat } from '../dtype.js';
import { invalid } from '../errors.js';
import { type Layout, rowShape } from '../shape.js';
import type { Role } from '../spec.js';
import type { Reduction } from './reduction.js';
import { denseRole } from './roles.js';

/** The role of class indices, one a row. */
export function indicesRole(op: string, dtype: DType, layout: Layout): Role {
  if (dtype !== 'i32' && dtype !== 'u32')
    fail(op, layout, `targetDtype is '${String(dtype)}'; use 'i32' or 'u32'.`);
  return denseRole(rowShape(layout), dtype);
}

/** The role of a target of floats, the shape of the logits. */
export function floatsRole(op: string, dtype: DType, layout: Layout): Role {
  if (!isFloat(dtype))
    fail(op, layout, `targetDtype is '${String(dtype)}'; here it must be 'f32', 'f16' or 'bf16'.`);
  return denseRole(layout.shape, dtype);
}

/** The role of an input that a plan has where its option is true. */
export function optionalRole(
  op: string,
  name: string,
  wanted: boolean,
  layout: Layout,
  shape: readonly number[],
  dtype: DType = 'f32',
): Role | undefined {
  if (typeof wanted !== 'boolean')
    fail(op, layout, `${name} must be true or false; the tensor is a binding of encode.`);
  return wanted ? denseRole(shape, dtype) : undefined;
}

/**
 * An upstream gradient: a number, or the role of a tensor with a value for each of what the reduction starts from (`'rows'`,
 * `'elements'`) where there is none, else with one value (`'scalar'`).
 */
export function upstreamOf(
  op: string,
  gradOutput: number | 'rows' | 'elements' | 'scalar',
  reduction: Reduction,
  layout: Layout,
  each: 'rows' | 'elements' = 'rows',
): number | Role {
  if (typeof gradOutput === 'number') return gradOutput;
  const wanted = reduction === 'none' ? each : 'scalar';
  if (gradOutput !== wanted) {
    fail(
      op,
      layout,
      `gradOutput is '${String(gradOutput)}'; for reduction '${reduction}' use a number or '${wanted}'.`,
    );
  }
  if (wanted === 'scalar') return { ...denseRole([]), broadcast: true };
  return denseRole(wanted === 'rows' ? rowShape(layout) : layout.shape);
}

function fail(op: string, { shape }: Layout, message: string): never {
  invalid(op, message, { shapes: { logits: shape } });
}
