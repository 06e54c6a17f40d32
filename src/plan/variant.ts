import type { DType } from '../dtype.js';
import type { Arithmetic } from './arithmetic.js';
import type { Policy, Strategy } from './policy.js';
import type { ProductVariant } from './product.js';

/** The stages of a row: its statistic, its own results, its elements. A split row runs them in three passes. */
export type Stage = 'statistic' | 'row' | 'elements';

/**
 * How a kernel reaches a role's buffer. `padded`: in groups of four, the last of which may reach behind the row's end. `straddling`: in
 * the groups of four of the whole matrix, of which rows of any length share some.
 */
export type Access = 'vec4' | 'padded' | 'straddling' | 'scalar' | 'strided' | 'vector';

/** Whether a buffer is bound as groups of four elements. */
export function inFours(access: Access): boolean {
  return access === 'vec4' || access === 'padded' || access === 'straddling';
}

/** How elements lie in the words of a buffer: one a word, or two 16-bit floats. Kernels compute with 32 bits in any case. */
export type Packing = 'none' | 'f16' | 'bf16';

export function packingOf(dtype: DType): Packing {
  return dtype === 'f16' || dtype === 'bf16' ? dtype : 'none';
}

/** What a kernel does with a role, and in which stages. */
export interface KernelRole {
  /** `matrix`: one value for each class of each row. `classes`: one for each class, the same for all rows. `vector`: one for each row. */
  readonly kind: 'matrix' | 'classes' | 'vector';
  readonly use: 'read' | 'write';
  readonly stages: readonly Stage[];
  /** WGSL for what is read behind the end of a matrix row. */
  readonly pad?: string;
  /** WGSL for what is read where the call has no such role. */
  readonly absent?: string;
}

/** WGSL; or how to load it, where most calls do without it. */
export type Source = string | (() => Promise<string>);

/** A statistic: its name, and its WGSL without and with subgroups. */
export interface Statistic {
  readonly name: string;
  readonly source: Source;
  /** Absent where lanes do not merge it by shuffles. */
  readonly subgroupSource?: Source;
  /** Words that one takes in memory, between the passes of a split row. */
  readonly words: number;
  /** It also takes in logits that are loaded: `stat_absorb_raw`. */
  readonly loaded?: true;
  /** How lanes take in their classes, where not as in shaders/strategy/absorption.wgsl. */
  readonly absorption?: Source;
}

/** An epilogue: what becomes of a row's statistic. */
export interface Epilogue {
  readonly name: string;
  readonly source: Source;
  readonly roles: Readonly<Record<string, KernelRole>>;
  /** Words of a row's record, between the passes of a split row. */
  readonly words: number;
  /** WGSL libraries that it and its statistic use, in order. */
  readonly libraries: readonly string[];
  /** It has a shorter way for usual rows: `row_is_usual` and `emit_odd`. */
  readonly oddRows?: true;
  /** How lanes write their elements, where not as in shaders/strategy/emission.wgsl. */
  readonly emission?: Source;
  /** Its usual rows also take logits that are loaded: `emit_raw`. */
  readonly loaded?: true;
  /** One class of a row has a value of its own: `row_hit` and `emit_hit`. */
  readonly hit?: true;
}

/** The kernels that strategies consist of; `-apart`: without the elements, which another kernel writes. */
export type KernelName =
  | 'row-per-thread'
  | 'row-per-thread-apart'
  | 'row-per-workgroup'
  | 'row-per-workgroup-apart'
  | 'split-partial'
  | 'split-finish'
  | 'rows'
  | 'map'
  | 'map-rows'
  | 'map-straddling';

export const STAGES: Readonly<Record<KernelName, readonly Stage[]>> = {
  'row-per-thread': ['statistic', 'row', 'elements'],
  'row-per-thread-apart': ['statistic', 'row'],
  'row-per-workgroup': ['statistic', 'row', 'elements'],
  'row-per-workgroup-apart': ['statistic', 'row'],
  'split-partial': ['statistic'],
  'split-finish': ['row'],
  rows: ['row'],
  map: ['elements'],
  'map-rows': ['elements'],
  'map-straddling': ['elements'],
};

/** The kernels in which the lanes of a workgroup merge what they know. */
export const REDUCES: ReadonlySet<KernelName> = new Set([
  'row-per-workgroup',
  'row-per-workgroup-apart',
  'split-partial',
  'split-finish',
]);

/**
 * The kernels of a strategy, in order. `elements`: whether there is anything to write for each element; `straddling`: in groups of four
 * that rows share, which no kernel can write before all rows are finished.
 */
export function kernelsOf(strategy: Strategy, elements: boolean, straddling: boolean): readonly KernelName[] {
  const map = straddling ? 'map-straddling' : 'map';
  if (strategy === 'split-row')
    return ['split-partial', 'split-finish', ...(elements ? ([map] as const) : [])];
  return straddling ? [`${strategy}-apart`, map] : [strategy];
}

/** The kernels of work without a statistic: rows and elements are separate. */
export function plainKernels(
  strategy: Strategy,
  rows: boolean,
  elements: boolean,
  straddling: boolean,
): readonly KernelName[] {
  const map = straddling ? 'map-straddling' : strategy === 'row-per-thread' ? 'map-rows' : 'map';
  return [...(rows ? (['rows'] as const) : []), ...(elements ? ([map] as const) : [])];
}

/** Whether each of its workgroups has a segment of a row. */
export function inSegments(kernel: KernelName): boolean {
  return ['split-partial', 'map', 'map-straddling'].includes(kernel);
}

/** Whether each of its threads has a row. */
export function rowsPerThread(kernel: KernelName): boolean {
  return ['row-per-thread', 'row-per-thread-apart', 'rows', 'map-rows'].includes(kernel);
}

/** Whether the kernel leaves the elements to another one. */
export function isApart(kernel: KernelName): boolean {
  return kernel === 'row-per-thread-apart' || kernel === 'row-per-workgroup-apart';
}

/** One role of a variant that is really bound. */
export interface Binding {
  readonly role: string;
  readonly access: Access;
  readonly packing: Packing;
  /** Written to, and possibly read too. */
  readonly write: boolean;
}

/** A word of two elements may have two writers, unless whole groups of four are written. */
export function isShared({ access, packing, write }: Binding): boolean {
  return write && packing !== 'none' && !inFours(access);
}

/** Parts of the kernels that are there or not, as constants in WGSL. */
export interface Flags {
  /** There is something to write for each element. */
  readonly EMITS: boolean;
  /** Lanes read no groups of four behind the end of a row: it is a whole number of their steps. */
  readonly WHOLE: boolean;
  /** Elements are written over what the row was computed from. */
  readonly IN_PLACE: boolean;
  /** Class-index targets with label smoothing. */
  readonly SMOOTHING: boolean;
  /** Also the gradient with respect to probability targets. */
  readonly TARGET_GRADIENT: boolean;
  /** Differences of logits are divided by a temperature. */
  readonly TEMPERED: boolean;
  readonly SOFTCAP: boolean;
  readonly Z_LOSS: boolean;
  /** Small gradients count as 0. */
  readonly GRAD_FILTER: boolean;
  /** Binary cross-entropy with a weight of the positives. */
  readonly POS_WEIGHT: boolean;
}

export const NO_FLAGS: Flags = {
  EMITS: false,
  WHOLE: false,
  IN_PLACE: false,
  SMOOTHING: false,
  TARGET_GRADIENT: false,
  TEMPERED: false,
  SOFTCAP: false,
  Z_LOSS: false,
  GRAD_FILTER: false,
  POS_WEIGHT: false,
};

/** Everything that decides a shader's text. Equal keys, equal text. */
export interface Variant {
  readonly kernel: KernelName;
  readonly epilogue: Epilogue;
  readonly statistic: Statistic | undefined;
  readonly bindings: readonly Binding[];
  /** Roles that live in another role's buffer: `{ grad: 'logits' }` for a gradient in place. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly flags: Flags;
  /** Lengths of arrays, which WGSL wants to know when it compiles, by the name of the constant. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly arithmetic: Arithmetic;
  readonly workgroupSize: number;
  /** Elements are written several steps at a time. */
  readonly unrolled: boolean;
  /** Groups of four logits that each lane keeps from reading to writing; 0 where the row is read twice. */
  readonly kept: number;
  /** Logits are read one by one, without a look at the end of the row before the last step. */
  readonly long: boolean;
  /** Smallest subgroup of the device, where the reduction uses subgroups; else 0. */
  readonly subgroup: number;
}

/** What a pipeline is made of. */
export type AnyVariant = Variant | ProductVariant;

/** The readable name of a variant. */
export function keyOf(variant: AnyVariant): string {
  return 'tiles' in variant ? variant.key : variantKey(variant);
}

/** A readable name, such as `cross-entropy-index/row-per-workgroup@64/logits:vec4,targets,loss,grad:vec4/subgroup32`. */
export function variantKey(variant: Variant): string {
  const {
    kernel,
    epilogue,
    statistic,
    bindings,
    aliases,
    flags,
    sizes,
    arithmetic,
    workgroupSize,
    unrolled,
    kept,
    long,
    subgroup,
  } = variant;
  const roles = bindings.map(({ role, access, packing, write }) => {
    const parts = [role, ...(access === 'vector' ? [] : [access]), ...(packing === 'none' ? [] : [packing])];
    return `${parts.join(':')}${write ? '!' : ''}`;
  });
  const places = Object.entries(aliases).map(([role, home]) => `${role}=${home}`);
  const on = Object.entries(flags).filter(([, value]) => value);
  return [
    epilogue.name,
    `${kernel}@${workgroupSize}`,
    ...(statistic === undefined ? [] : [statistic.name]),
    [...roles, ...places].join(','),
    ...on.map(([name]) => name.toLowerCase()),
    ...Object.entries(sizes).map(([name, size]) => `${name.toLowerCase()}${size}`),
    ...(arithmetic.name === 'native' ? [] : [arithmetic.name]),
    ...(unrolled ? ['unrolled'] : []),
    ...(kept > 0 ? [`kept${kept}`] : []),
    ...(long ? ['long'] : []),
    ...(subgroup > 0 ? [`subgroup${subgroup}`] : []),
  ].join('/');
}

/** The widest access that rows of `length` elements allow, `stride` apart. `ours`: what is between them may be written, too. */
export function matrixAccess(
  policy: Policy,
  inner: number,
  length: number,
  stride: number,
  ours: boolean,
): Access {
  if (inner > 1) return 'strided';
  if (!policy.vec4 || stride % 4 !== 0) return 'scalar';
  if (length % 4 === 0) return 'vec4';
  return ours ? 'padded' : 'scalar';
}
