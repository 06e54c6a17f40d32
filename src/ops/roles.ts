import type { DType } from '../dtype.js';
import type { Role, Roles } from '../spec.js';

/** A dense array that an operation reads. */
export function denseRole(shape: readonly number[], dtype: DType = 'f32'): Role {
  return { shape, dtype, access: 'in' };
}

/** A dense array that an operation writes. */
export function outputRole(shape: readonly number[], dtype: DType = 'f32'): Role {
  return { shape, dtype, access: 'out' };
}

/** The roles that are there: a call that does not have one gives false, undefined, or a number instead of a tensor. */
export function presentRoles(named: Readonly<Record<string, Role | number | false | undefined>>): Roles {
  const entries = Object.entries(named);
  return Object.fromEntries(entries.filter((entry): entry is [string, Role] => typeof entry[1] === 'object'));
}
