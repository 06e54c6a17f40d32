import type { Rows } from '../plan/pass.js';
import type { Layout } from '../shape.js';
import type { Roles } from '../spec.js';

/** All rows of a call. */
export function rowsOf({ rows, classes, inner }: Layout): Rows {
  return { count: rows, classes, inner };
}

/** Kernel roles that are the call's roles of the same names, of those that it has. */
export function sameNames(roles: Roles, ...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.filter((name) => name in roles).map((name) => [name, name]));
}
