import { bytesOf, type DType, WORD_BYTES } from '../dtype.js';
import { InvalidArgumentError, LimitExceededError } from '../errors.js';
import type { AdapterFacts } from '../info.js';
import { elementCount } from '../shape.js';
import type { Roles } from '../spec.js';
import { type Arithmetic, nativeArithmetic } from './arithmetic.js';
import {
  BLOCK,
  choosePolicy,
  chooseReproduciblePolicy,
  keptGroups,
  type Policy,
  sharesGroups,
} from './policy.js';
import type { ProductPass } from './product.js';
import {
  type Binding,
  type Epilogue,
  type Flags,
  inSegments,
  isApart,
  type KernelName,
  type KernelRole,
  kernelsOf,
  matrixAccess,
  NO_FLAGS,
  packingOf,
  plainKernels,
  REDUCES,
  rowsPerThread,
  STAGES,
  type Statistic,
  type Variant,
} from './variant.js';

/** A run of rows that one dispatch works on, and its grid of workgroups. */
export interface Dispatch {
  readonly firstRow: number;
  readonly rows: number;
  readonly grid: readonly [number, number];
}

/** The numbers that a kernel gets besides its buffers; absent ones are 0. */
export interface Constants {
  readonly extent?: number;
  readonly ignoreIndex?: number | undefined;
  readonly gradOutput?: number;
  readonly divisor?: number;
  readonly keep?: number;
  readonly spread?: number;
  readonly prescale?: number;
  readonly postscale?: number;
  readonly gapScale?: number;
  readonly chain?: number;
  readonly cap?: number;
  readonly uncap?: number;
  readonly zLoss?: number;
  readonly gain?: number;
  readonly gradFilter?: number;
  readonly wanted?: number;
  readonly taken?: number;
  readonly listed?: number;
}

/** How a pass finds a role: which tensor or scratch buffer of the call, and how far apart the rows are. */
export interface Source {
  /** A role of the call, or the name of a scratch buffer. */
  readonly from: string;
  readonly scratch: boolean;
  /** Elements from a row (of `inner` = 1) or a block of `inner` rows to the next; for vectors the step from row to row. */
  readonly stride: number;
  /** Elements in all. */
  readonly elements: number;
  /** The row of the call that comes first. */
  readonly firstRow: number;
  readonly dtype: DType;
}

/** One kernel over all rows: as many dispatches as the adapter's binding limit asks for. */
export interface RowPass {
  readonly variant: Variant;
  readonly policy: Policy;
  readonly classes: number;
  readonly inner: number;
  readonly segment: number;
  readonly segments: number;
  /** Where the records of the rows begin in the handover of a split row. */
  readonly records: number;
  readonly constants: Constants;
  readonly sources: Readonly<Record<string, Source>>;
  readonly dispatches: readonly Dispatch[];
  /** Bytes of tensors and scratch that the kernel reads and writes, each element counted once. */
  readonly bytes: number;
}

/** What a call does on the GPU, step by step. */
export type Pass = RowPass | ProductPass;

/** The rows a pass works on. */
export interface Rows {
  readonly count: number;
  /** The first of them, where a call works on its rows bit by bit; default 0. Scratch matrices begin with it. */
  readonly first?: number;
  readonly classes: number;
  readonly inner: number;
  /** True where the statistic keeps a list for each lane. */
  readonly lists?: boolean;
  /** True where the one row is made of a value for each row of the call, such as its losses. */
  readonly ofRows?: boolean;
}

/** What an op asks for: an epilogue over rows. */
export interface RowWork {
  readonly rows: Rows;
  readonly epilogue: Epilogue;
  readonly statistic?: Statistic;
  /** Kernel role → role or scratch of the call. Roles not named are absent. */
  readonly roles: Readonly<Record<string, string>>;
  readonly aliases?: Readonly<Record<string, string>>;
  readonly flags?: Partial<Flags>;
  readonly sizes?: Readonly<Record<string, number>>;
  readonly constants?: Constants;
}

/** Turns row work into passes: chooses the policy, the accesses, the grid and the chunks, and adds up the scratch. */
export class PassBuilder {
  readonly facts: AdapterFacts;
  /** Scratch buffers by name, in bytes. */
  readonly scratch: Map<string, number> = new Map();
  readonly op: string;
  readonly wishes: Partial<Policy>;
  readonly #roles: Roles;
  /** Elements from row to row of scratch matrices: whole groups of four. */
  readonly #strides: Map<string, number> = new Map();
  readonly #arithmetic: Arithmetic;

  constructor(
    op: string,
    roles: Roles,
    facts: AdapterFacts,
    wishes: Partial<Policy>,
    arithmetic: Arithmetic = nativeArithmetic,
  ) {
    this.op = op;
    this.#roles = roles;
    this.facts = facts;
    this.#arithmetic = arithmetic;
    this.wishes = wishes;
  }

  /** Declares a scratch vector of 32-bit elements and gives its name. */
  scratchVector(name: string, elements: number): string {
    this.scratch.set(name, Math.max(elements * WORD_BYTES, this.scratch.get(name) ?? 16));
    return name;
  }

  /** Declares a scratch matrix of `rows` rows, each padded to whole groups of four, and gives its name. */
  scratchMatrix(name: string, rows: number, classes: number): string {
    const stride = paddedRow(classes);
    this.#strides.set(name, stride);
    return this.scratchVector(name, rows * stride);
  }

  /** How work on these rows is laid out. */
  policy({ classes, inner, lists = false, ofRows = false }: Rows): Policy {
    const choose = this.#arithmetic.name === 'native' ? choosePolicy : chooseReproduciblePolicy;
    return choose({ classes, inner, lists, alone: ofRows }, this.facts, this.wishes);
  }

  build(work: RowWork): RowPass[] {
    const { rows, epilogue, statistic } = work;
    this.checkArithmetic(epilogue.name);
    if (rows.count === 0) return [];
    const policy = this.policy(rows);
    const elements = writes(work, 'matrix');
    const straddling = this.#straddles(work, policy);
    const kernels =
      statistic === undefined
        ? plainKernels(policy.strategy, writes(work, 'vector'), elements, straddling)
        : kernelsOf(policy.strategy, elements, straddling);
    const [statistics, record] = this.handoverWords(work);
    const segments = kernels.some((kernel) => inSegments(kernel)) ? segmentsOf(rows, policy) : 1;
    if (statistics + record === 0) {
      return kernels.map((kernel) => this.#pass(work, kernel, policy, segments, 0));
    }
    // The statistics of the segments, then the records of the rows. Named after the epilogue: two row works do not share it.
    const end = (rows.first ?? 0) + rows.count;
    const records = end * statistics;
    const words = records + end * record;
    const roles = { ...work.roles, handover: this.scratchVector(`${epilogue.name}.handover`, words) };
    return kernels.map((kernel) => this.#pass({ ...work, roles }, kernel, policy, segments, records));
  }

  /** Words of scratch memory that each row takes on its way through several kernels: its statistics, and its record. */
  handoverWords(work: RowWork): readonly [statistics: number, record: number] {
    const { rows, epilogue, statistic } = work;
    const policy = this.policy(rows);
    if (statistic === undefined) return [0, 0];
    if (policy.strategy !== 'split-row') return [0, this.#straddles(work, policy) ? epilogue.words : 0];
    return [segmentsOf(rows, policy) * statistic.words, writes(work, 'matrix') ? epilogue.words : 0];
  }

  /**
   * Whether elements are written in whole groups of four though rows are no whole numbers of them: where all matrices are, with nothing
   * between their rows. Not where odd elements are told apart by groups, which would then begin elsewhere in each row, and change bits.
   */
  #straddles(work: RowWork, policy: Policy): boolean {
    const { rows, epilogue, statistic, roles } = work;
    const { classes, inner, count } = rows;
    if (inner !== 1 || !sharesGroups(classes, policy)) return false;
    if (epilogue.emission !== undefined || !writes(work, 'matrix')) return false;
    if (statistic !== undefined && policy.strategy !== 'split-row') {
      const records = count * epilogue.words * WORD_BYTES;
      const fits = records <= this.facts.limits.maxStorageBufferBindingSize;
      if (!policy.apart || !fits || keptIn(work, policy) > 0) return false;
    }
    return Object.entries(epilogue.roles).every(([name, { kind }]) => {
      const from = roles[name];
      if (kind !== 'matrix' || from === undefined) return true;
      const { stride, elements } = this.#source(from, kind, rows);
      return stride === classes && elements % 4 === 0;
    });
  }

  /** Bytes of all scratch buffers declared so far. */
  get scratchBytes(): number {
    return [...this.scratch.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Throws `InvalidArgumentError` where the arithmetic does not cover the kernels of that name. */
  checkArithmetic(name: string): void {
    if (this.#arithmetic.covers(name)) return;
    throw new InvalidArgumentError(
      `${this.op}: has no reproducible form yet; use a context without reproducible: true for it.`,
      { op: this.op, adapter: this.facts },
    );
  }

  #pass(work: RowWork, kernel: KernelName, policy: Policy, segments: number, records: number): RowPass {
    const { rows, epilogue, statistic, roles, aliases = {} } = work;
    const bindings: Binding[] = [];
    const sources: Record<string, Source> = {};
    const overwritten = new Set<string>();
    const bind = (name: string, { kind, use }: Pick<KernelRole, 'kind' | 'use'>): void => {
      const from = roles[name];
      if (from === undefined) return;
      const home = aliases[name];
      if (home !== undefined) {
        overwritten.add(home);
        return;
      }
      const source = this.#source(from, kind, rows);
      // A weight for each class has its own length, which in a census is not that of the row.
      const length = kind === 'classes' ? source.elements : rows.classes;
      const access =
        kind === 'vector'
          ? kind
          : kind === 'matrix' && kernel === 'map-straddling'
            ? 'straddling'
            : matrixAccess(
                policy,
                kind === 'matrix' ? rows.inner : 1,
                length,
                source.stride,
                this.#strides.has(from),
              );
      sources[name] = source;
      bindings.push({ role: name, access, packing: packingOf(source.dtype), write: use === 'write' });
    };
    for (const [name, role] of Object.entries(epilogue.roles)) {
      if (role.stages.some((stage) => STAGES[kernel].includes(stage))) bind(name, role);
    }
    const emits = writes(work, 'matrix');
    const hands = kernel === 'split-partial' || isApart(kernel) || (kernel === 'split-finish' && emits);
    if (hands || STAGES[kernel].length === 1)
      bind('handover', { kind: 'vector', use: hands ? 'write' : 'read' });
    const used = bindings.map((binding) =>
      overwritten.has(binding.role) ? { ...binding, write: true } : binding,
    );
    this.#checkBindings(used, sources);
    const light = emits && isLight(work);
    const kept = emits && kernel === 'row-per-workgroup' ? keptIn(work, policy) : 0;
    // More code than that, several times over, takes some drivers minutes to compile.
    const unrollable =
      light && kept === 0 && work.flags?.SOFTCAP !== true && STAGES[kernel].includes('elements');
    return {
      variant: {
        kernel,
        epilogue,
        statistic,
        bindings: used,
        aliases: Object.fromEntries(Object.entries(aliases).filter(([, home]) => overwritten.has(home))),
        flags: {
          ...NO_FLAGS,
          ...work.flags,
          EMITS: emits,
          WHOLE:
            used.some(({ access, packing }) => access === 'vec4' && packing === 'none') &&
            isWhole(kernel, rows.classes, policy, kept),
          IN_PLACE: overwritten.size > 0,
        },
        sizes: work.sizes ?? {},
        arithmetic: this.#arithmetic,
        workgroupSize: policy.workgroupSize,
        unrolled: unrollable && policy.unrolled,
        kept,
        long:
          kept === 0 &&
          policy.unrolled &&
          statistic?.loaded === true &&
          readsSingly(used) &&
          hasSteps(kernel, rows.classes, policy),
        subgroup:
          policy.subgroups && REDUCES.has(kernel) && statistic?.subgroupSource !== undefined
            ? this.facts.subgroupMinSize
            : 0,
      },
      policy,
      classes: rows.classes,
      inner: rows.inner,
      segment: segments === 1 ? rows.classes : policy.segment,
      segments,
      records,
      constants: work.constants ?? {},
      sources,
      dispatches: this.#dispatches(rows, used, sources, (count) =>
        this.#grid(kernel, count, policy, segments),
      ),
      bytes: used.reduce((bytes, { role }) => {
        const { elements, dtype } = sources[role] as Source;
        const touched = picksOne(epilogue.roles[role], kernel) ? rows.count : elements;
        return bytes + touched * bytesOf(dtype) * (overwritten.has(role) ? 2 : 1);
      }, 0),
    };
  }

  /** Where a kernel role's values lie. A scratch vector may be read as a matrix of one long row. */
  #source(from: string, kind: KernelRole['kind'], rows: Rows): Source {
    const role = this.#roles[from];
    const scratch = role === undefined;
    const elements = scratch ? (this.scratch.get(from) ?? 0) / WORD_BYTES : elementCount(role.shape);
    const dtype = role?.dtype ?? 'f32';
    const shared = { from, scratch, elements, firstRow: 0, dtype };
    if (kind === 'vector') return { ...shared, stride: role?.broadcast === true ? 0 : 1 };
    if (kind === 'classes') return { ...shared, stride: 0 };
    const block = rows.classes * rows.inner;
    const padded = this.#strides.get(from);
    if (padded !== undefined) {
      return { ...shared, stride: padded, elements: rows.count * padded, firstRow: rows.first ?? 0 };
    }
    const stride = role?.rowStride ?? block;
    const blocks = rows.count / rows.inner;
    return { ...shared, stride, elements: blocks === 0 ? 0 : (blocks - 1) * stride + block };
  }

  #checkBindings(bindings: readonly Binding[], sources: Readonly<Record<string, Source>>): void {
    const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize } = this.facts.limits;
    if (bindings.length > maxStorageBuffersPerShaderStage) {
      throw new LimitExceededError(
        `${this.op}: needs ${bindings.length} storage buffers at once; this adapter allows ${maxStorageBuffersPerShaderStage}. ` +
          'Ask for fewer results in one call.',
        { op: this.op, adapter: this.facts },
      );
    }
    for (const { role, access } of bindings) {
      const source = sources[role] as Source;
      const bytes = source.elements * bytesOf(source.dtype);
      const { from } = source;
      const whole = access === 'vector' || source.stride === 0;
      if (whole && bytes > maxStorageBufferBindingSize) {
        throw new LimitExceededError(
          `${this.op}: ${from} takes ${bytes} bytes; one binding of this adapter holds ${maxStorageBufferBindingSize}. ` +
            'Split the batch into calls of fewer rows.',
          { op: this.op, adapter: this.facts },
        );
      }
    }
  }

  /** Chunks of rows whose matrices fit in one binding each, with room for an offset that is not aligned. */
  #dispatches(
    rows: Rows,
    bindings: readonly Binding[],
    sources: Readonly<Record<string, Source>>,
    grid: (rows: number) => readonly [number, number],
  ): Dispatch[] {
    const { maxStorageBufferBindingSize, minStorageBufferOffsetAlignment } = this.facts.limits;
    const room = maxStorageBufferBindingSize - minStorageBufferOffsetAlignment;
    let blocks = rows.count / rows.inner;
    for (const { role, access } of bindings) {
      const { stride, from, dtype } = sources[role] as Source;
      if (access === 'vector' || stride === 0) continue;
      const bytes = stride * bytesOf(dtype);
      const fit = Math.floor(room / bytes);
      if (fit === 0) throw this.#tooLong(rows, from, bytes);
      blocks = Math.min(blocks, fit);
    }
    const step = blocks * rows.inner;
    const { first = 0 } = rows;
    const end = first + rows.count;
    const dispatches: Dispatch[] = [];
    for (let firstRow = first; firstRow < end; firstRow += step) {
      const count = Math.min(step, end - firstRow);
      dispatches.push({ firstRow, rows: count, grid: grid(count) });
    }
    return dispatches;
  }

  /** The error for what cannot be cut into chunks of whole rows. */
  #tooLong({ inner, ofRows }: Rows, from: string, bytes: number): LimitExceededError {
    const [what, advice] = ofRows
      ? [`all of ${from}`, 'Split the batch into calls of fewer rows.']
      : inner === 1
        ? [`one row of ${from}`, 'Use an adapter with a larger limit.']
        : [`${inner} interleaved rows of ${from}`, 'Move the class axis to the end, or split the batch.'];
    const { maxStorageBufferBindingSize } = this.facts.limits;
    return new LimitExceededError(
      `${this.op}: ${what} takes ${bytes} bytes; one binding of this adapter holds ${maxStorageBufferBindingSize}. ${advice}`,
      { op: this.op, adapter: this.facts },
    );
  }

  /** Workgroups in two dimensions, since one holds only 65,535. */
  #grid(kernel: KernelName, rows: number, policy: Policy, segments: number): readonly [number, number] {
    const groups = rowsPerThread(kernel)
      ? Math.ceil(rows / policy.workgroupSize)
      : inSegments(kernel)
        ? rows * segments
        : rows;
    return this.gridOf(groups, `${rows} rows`);
  }

  /** A grid of at least so many workgroups. `what` needs them, for the error where there are too many. */
  gridOf(groups: number, what: string): readonly [number, number] {
    const most = this.facts.limits.maxComputeWorkgroupsPerDimension;
    const height = Math.ceil(groups / most);
    if (height > most) {
      throw new LimitExceededError(
        `${this.op}: ${what} need more workgroups than a dispatch of this adapter has.`,
        {
          op: this.op,
          adapter: this.facts,
        },
      );
    }
    return [Math.ceil(groups / Math.max(1, height)), height];
  }
}

/** What takes logits that are loaded has little code for each element. */
function isLight({ epilogue, statistic }: RowWork): boolean {
  return epilogue.loaded === true && statistic?.loaded === true;
}

/** Groups of four that each lane keeps where a workgroup has a row. */
function keptIn(work: RowWork, policy: Policy): number {
  return policy.strategy === 'row-per-workgroup' && isLight(work) ? keptGroups(work.rows.classes, policy) : 0;
}

function segmentsOf({ classes }: Rows, { segment }: Policy): number {
  return Math.max(1, Math.ceil(classes / segment));
}

/** Whether each lane of a row has a whole step, which a segment of a row may not. */
function hasSteps(kernel: KernelName, classes: number, { workgroupSize }: Policy): boolean {
  if (!STAGES[kernel].includes('statistic') || kernel === 'split-partial') return false;
  return classes >= BLOCK * (rowsPerThread(kernel) ? 1 : workgroupSize);
}

function readsSingly(bindings: readonly Binding[]): boolean {
  return bindings.some(
    ({ role, access, packing }) => role === 'logits' && access === 'scalar' && packing === 'none',
  );
}

/** Whether rows are whole numbers of the steps in which lanes take them in; what is written has no steps. */
function isWhole(kernel: KernelName, classes: number, policy: Policy, kept: number): boolean {
  const stages = STAGES[kernel];
  if (!stages.includes('statistic')) return stages.includes('elements');
  const lanes = rowsPerThread(kernel) ? 1 : policy.workgroupSize;
  return classes % (lanes * (kept > 0 ? 4 * kept : BLOCK)) === 0;
}

/** Elements of a row that is padded to whole groups of four. */
export function paddedRow(classes: number): number {
  return Math.ceil(classes / 4) * 4;
}

/** Whether a kernel has no stage that goes through a matrix, so that it reads one class of each row. */
function picksOne(role: KernelRole | undefined, kernel: KernelName): boolean {
  const used = role?.stages.filter((stage) => STAGES[kernel].includes(stage));
  return role?.kind === 'matrix' && used?.every((stage) => stage === 'row') === true;
}

/** Whether the work writes anything for each element, or for each row. */
function writes({ epilogue, roles }: RowWork, what: 'matrix' | 'vector'): boolean {
  return Object.entries(epilogue.roles).some(
    ([name, { kind, use }]) => kind === what && use === 'write' && Object.hasOwn(roles, name),
  );
}
