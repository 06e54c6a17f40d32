/**
 * What a contender stands for in the comparison:
 * - `ours`: this library, also with less or more memory than by itself
 * - `naive`: the kernels that one writes first
 * - `peer`: a framework as its users use it; a gradient is the one that it derives itself
 * - `formula`: a framework that is told the formula of the gradient, and need not derive it
 * - `processor`: a framework that leaves the GPU for the op
 * - `limit`: a part of the work alone, which nothing that has to do it can be faster than
 */
export type Role = 'ours' | 'naive' | 'peer' | 'formula' | 'processor' | 'limit';

const ROLES: ReadonlyMap<string, Role> = new Map([
  ['ours', 'ours'],
  ['ours-chunked', 'ours'],
  ['materialised', 'ours'],
  ['naive-64', 'naive'],
  ['naive-256', 'naive'],
  ['naive-8x8', 'naive'],
  ['tiled-16x16', 'naive'],
  ['tfjs', 'peer'],
  ['onnxruntime', 'peer'],
  ['jax-js', 'peer'],
  ['tfjs-formula', 'formula'],
  ['jax-js-formula', 'formula'],
  ['onnxruntime-operator', 'processor'],
  ['copy', 'limit'],
  ['reads', 'limit'],
  ['exps', 'limit'],
  ['barriers', 'limit'],
]);

export function roleOf(contender: string): Role {
  const role = ROLES.get(contender);
  if (role === undefined) throw new Error(`there is no contender ${JSON.stringify(contender)}`);
  return role;
}

export function contendersOf(role: Role): readonly string[] {
  return [...ROLES].filter(([, known]) => known === role).map(([name]) => name);
}
