import type { KernelRole, Stage } from '../variant.js';

// The few kinds of kernel role. Numbers read behind the end of a row must not change its statistic.

const LOWEST = 'BITS_NEG_INF';
const ZERO = '0u';
const ONE = '0x3f800000u';

/** Logits or log-probabilities: a masked class is -Inf. */
export function logitsRole(...stages: Stage[]): KernelRole {
  return { kind: 'matrix', use: 'read', stages, pad: LOWEST };
}

/** Any other matrix that is read. */
export function matrixRole(...stages: Stage[]): KernelRole {
  return { kind: 'matrix', use: 'read', stages, pad: ZERO };
}

/** A matrix that is written, if the call asks for it. */
export const resultRole: KernelRole = { kind: 'matrix', use: 'write', stages: ['elements'] };

/** A value for each class, 1 where the call gives none. */
export function classWeightRole(...stages: Stage[]): KernelRole {
  return { kind: 'classes', use: 'read', stages, pad: ZERO, absent: ONE };
}

/** A value for each row; `absent` is the WGSL that stands in for it. */
export function rowRole(absent: string, ...stages: Stage[]): KernelRole {
  return { kind: 'vector', use: 'read', stages, absent };
}

/** A value for each row that is written, if the call asks for it. */
export const rowResultRole: KernelRole = { kind: 'vector', use: 'write', stages: ['row'] };

/** Upstream gradient of each row, else the number in the parameters. */
export function upstreamRole(stage: Stage): KernelRole {
  return rowRole('bitcast<u32>(params.grad_output)', stage);
}

/** The census of the targets; without one the divisor in the parameters. */
export const censusRole: KernelRole = rowRole('bitcast<u32>(params.divisor)', 'row');
