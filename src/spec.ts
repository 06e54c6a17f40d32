import type { CpuSettings } from './cpu/forms.js';
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

/** Values of a role on the CPU; float64 where they will be rounded to 16 bits. */
export type CpuArray = TypedArray | Float64Array;

export type CpuArrays = Readonly<Record<string, CpuArray>>;

export type Roles = Readonly<Record<string, Role>>;

/** The shapes of what a call reads, for its errors. */
export function shapesOf(roles: Roles): Record<string, readonly number[]> {
  const read = Object.entries(roles).filter(([, { access }]) => access !== 'out');
  return Object.fromEntries(read.map(([name, { shape }]) => [name, shape]));
}

/** Makes the GPU passes of a call. Pure: shapes, options and adapter facts in, passes out. */
export type MakePasses = (build: PassBuilder) => readonly Pass[];

/**
 * A call, checked and with every default filled in: pure data that both backends run, once or (in a plan) again and again.
 * It brings its own kernels, so that an app loads those of the ops it uses; what the CPU does is found by its name.
 */
export interface SpecOf<Op extends keyof CpuSettings> {
  /** The op, as the caller knows it. */
  readonly op: Op;
  /** What the op was asked for, with every choice made: what the CPU form of that name must know. */
  readonly settings: CpuSettings[Op];
  readonly roles: Roles;
  /** Loads what makes the GPU passes: a context on a GPU asks for it, and a reproducible one anywhere. */
  readonly passes: () => Promise<MakePasses>;
  /** Number of classes, where targets are class indices; then the passes write a census of them to the scratch buffer `census`. */
  readonly targetClasses?: number;
  /** False where class indices cannot be ignored. Default true. */
  readonly ignorable?: boolean;
}

export type Spec = { readonly [Op in keyof CpuSettings]: SpecOf<Op> }[keyof CpuSettings];

export interface OutOfRange {
  readonly row: number;
  readonly value: number;
}
