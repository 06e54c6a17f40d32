import type { DType, TypedArray } from './dtype.js';
import type { Pass, PassBuilder } from './plan/pass.js';

/** One tensor of a call, by the role it plays: `logits`, `targets`, `loss`, … */
export interface Role {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly access: 'in' | 'out' | 'in-out';
  /** Elements from one row to the next where that is more than the row's length; only matrices with the class axis last have one. */
  readonly rowStride?: number;
  /** True where a tensor with one element may stand for all rows. */
  readonly broadcast?: boolean;
}

export type Roles = Readonly<Record<string, Role>>;

/**
 * A call, checked and with every default filled in: pure data that both backends run, once or (in a plan) again and again.
 * It brings its own kernels, so that a bundle holds those of the ops it uses.
 */
export interface Spec {
  /** The op, as the caller knows it. */
  readonly op: string;
  readonly roles: Roles;
  /** The GPU passes. Pure: shapes, options and adapter facts in, passes out. */
  readonly passes: (build: PassBuilder) => readonly Pass[];
  /** The same on the CPU, on dense arrays by role; writes the outputs. Returns the first target out of range, if any. */
  readonly cpu: (arrays: Readonly<Record<string, TypedArray>>) => OutOfRange | undefined;
  /** Number of classes, where targets are class indices; then `passes` writes a census of them to the scratch buffer `census`. */
  readonly targetClasses?: number;
  /** False where class indices cannot be ignored. Default true. */
  readonly ignorable?: boolean;
}

export interface OutOfRange {
  readonly row: number;
  readonly value: number;
}
