import { WORD_BYTES } from '../dtype.js';
import type { AdapterFacts } from '../info.js';

/** How a row's work is laid out on the device. */
export type Strategy = 'row-per-thread' | 'row-per-workgroup' | 'split-row';

export const STRATEGIES: readonly Strategy[] = ['row-per-thread', 'row-per-workgroup', 'split-row'];

/** Every number that may change speed (and, within the error bounds, the last bits of a result), but nothing else. */
export interface Policy {
  /** Which threads share a row. */
  readonly strategy: Strategy;
  /** Threads in a workgroup; a power of two. */
  readonly workgroupSize: number;
  /** Classes in a segment of a split row; a multiple of 16 × workgroupSize. */
  readonly segment: number;
  /** Reduce, and share what threads read in common, by subgroup operations, where the device has them. Changes no bit of any result. */
  readonly subgroups: boolean;
  /** Load and write four classes at once, where rows, or else their whole matrix, are groups of four. Changes no bit of any result. */
  readonly vec4: boolean;
  /** Read and write several elements between two looks at the end of the row: longer code, for long rows. Changes no bit of any result. */
  readonly unrolled: boolean;
  /**
   * Keep a row that is not too long in the registers of its workgroup, between the reading for its statistic and the writing of its
   * elements. Changes no bit of any result.
   */
  readonly kept: boolean;
  /**
   * Write the elements of long rows by a kernel of their own where that lets it write four at once: where rows are no whole groups of four,
   * but their matrix is. Split rows have such a kernel in any case. Changes no bit of any result.
   */
  readonly apart: boolean;
  /** Matrix products, of `linearCrossEntropy`, bring their operands into workgroup memory, and add up long sums in parts. */
  readonly staged: boolean;
}

/** What the choice may depend on. Not on the number of rows: a row's result must not depend on the batch it is in. */
export interface PolicyQuery {
  readonly classes: number;
  /** Distance between two classes of a row: 1 when the class axis is last. */
  readonly inner: number;
  /** True where each lane keeps a list in workgroup memory, which more lanes would have to share. */
  readonly lists?: boolean;
  /** True where the work has no other row, such as one of the losses of all rows. */
  readonly alone?: boolean;
}

// Entries of a list that each thread may keep: more take memory from all threads, fewer make more rounds over a row.
const MOST_LISTED = 16;

/** Classes that one thread takes in at a time. */
export const BLOCK = 16;

// Up to this many classes a row is too short to share between threads.
const THREAD_CLASSES = 32;
// A software adapter has few threads that run at once, and every merge of lanes costs it dearly.
const THREAD_CLASSES_SOFTWARE = 4096;
// With the class axis not last, neighbouring threads read neighbouring addresses when each takes a row.
const THREAD_CLASSES_STRIDED = 4096;
const COALESCED_INNER = 16;
// Above this, one workgroup takes too long for a row, and few rows would leave most of the device idle.
const WORKGROUP_CLASSES = 16384;
const WORKGROUP_CLASSES_SOFTWARE = 262144;
const SEGMENT = 8192;
// A short row is not worth the time that the longer code takes to compile.
const UNROLLED_CLASSES = 4096;
// Registers are few, and what does not fit in them goes to memory. In groups of four, of which a step takes in as many.
const MOST_KEPT = 16;
const LEAST_KEPT = 4;
// In shorter rows, little is written in groups that is worth a workgroup of their own.
const SHARING_CLASSES = 1024;
const WORKGROUP_SIZE = 64;
const WORKGROUP_SIZE_LONG = 256;
// A lane should have this many classes at least.
const LANE_CLASSES = 16;
// A software adapter runs a workgroup on one core, where each barrier costs a switch of all its threads: as many as its vectors have lanes.
const WORKGROUP_SIZE_SOFTWARE = 8;
// Where each thread has a row, a workgroup should have this many classes in all to be worth its start.
const GROUP_CLASSES_SOFTWARE = 2048;
// Rows and columns of a product that one thread computes, as shaders/product has them.
export const THREAD_TILE = 8;
const THREAD_COLUMNS_DIRECT = 4;
// Threads that share a block of 4 x 4 elements, each reading a line of it.
const SHARING_LANES = 4;
// Threads of a workgroup that share a tile, and terms that they bring into its memory at a time.
const TILE_ACROSS = 8;
const TILE_DOWN = 8;
const TILE_DEPTH = 16;
// Workgroups that keep a GPU busy; and a sum is not worth cutting into parts shorter than this.
const BUSY_GROUPS = 512;
const LEAST_PART = 1024;
// What every adapter has.
const REPRODUCIBLE_WORKGROUP_SIZE = 64;

/** The policy for one kind of row on one adapter, with the caller's own wishes (checked) in place of the defaults. */
export function choosePolicy(query: PolicyQuery, facts: AdapterFacts, wishes: Partial<Policy> = {}): Policy {
  const strategy = wishes.strategy ?? defaultStrategy(query, facts);
  const workgroupSize =
    wishes.workgroupSize ?? fitting(defaultWorkgroupSize(query, facts, strategy), wishes.segment);
  return {
    strategy,
    workgroupSize,
    segment: wishes.segment ?? SEGMENT * Math.max(1, workgroupSize / 512),
    subgroups: usesSubgroups(facts, wishes, workgroupSize, 2),
    vec4: wishes.vec4 ?? true,
    unrolled: wishes.unrolled ?? query.classes > UNROLLED_CLASSES,
    kept: wishes.kept ?? !facts.isFallbackAdapter,
    apart: wishes.apart ?? facts.isFallbackAdapter,
    staged: isStaged(facts, wishes),
  };
}

/** Whether the threads of a workgroup work in whole subgroups, of `least` threads at least. */
function usesSubgroups(
  { features, languageFeatures, subgroupMinSize, subgroupMaxSize }: AdapterFacts,
  { subgroups = true }: Partial<Policy>,
  workgroupSize: number,
  least: number,
): boolean {
  return (
    subgroups &&
    features.includes('subgroups') &&
    languageFeatures.includes('subgroup_id') &&
    subgroupMinSize >= least &&
    workgroupSize % subgroupMaxSize === 0
  );
}

/** The same for all adapters: reproducible sums run in one tree, whatever is fastest. */
export function chooseReproduciblePolicy(
  query: PolicyQuery,
  facts: AdapterFacts,
  wishes: Partial<Policy> = {},
): Policy {
  const { apart = facts.isFallbackAdapter } = wishes;
  const own = { ...wishes, workgroupSize: REPRODUCIBLE_WORKGROUP_SIZE, apart };
  return choosePolicy(query, { ...facts, isFallbackAdapter: false }, own);
}

/** Groups of four logits that each lane of a workgroup keeps of a row: a power of two, for few shaders; 0 where they are too many. */
export function keptGroups(classes: number, { kept, workgroupSize }: Policy): number {
  const groups = 2 ** Math.ceil(Math.log2(classes / (4 * workgroupSize)));
  return kept && groups <= MOST_KEPT ? Math.max(LEAST_KEPT, groups) : 0;
}

/** Whether rows that are no whole groups of four are long enough to be written in groups all the same, those that two rows share, too. */
export function sharesGroups(classes: number, { vec4 }: Policy): boolean {
  return vec4 && classes % 4 !== 0 && classes >= SHARING_CLASSES;
}

/** How the workgroups of a matrix product are laid out. */
export interface Tiles {
  readonly name: string;
  /** Operands go through workgroup memory. */
  readonly staged: boolean;
  /** What all threads of a workgroup need, each reads in part. */
  readonly subgroups: boolean;
  readonly threads: number;
  /** Elements of the result that a workgroup computes. */
  readonly rows: number;
  readonly columns: number;
  /** What the shader must know of it. */
  readonly constants: Readonly<Record<string, number>>;
}

/** A software adapter has its caches near, and pays dearly for barriers. */
function isStaged(
  { isFallbackAdapter }: AdapterFacts,
  { staged = !isFallbackAdapter }: Partial<Policy>,
): boolean {
  return staged;
}

/** The tiles of a matrix product on one adapter. */
export function chooseTiles(facts: AdapterFacts, wishes: Partial<Policy>): Tiles {
  if (!isStaged(facts, wishes)) {
    const constants = { WIDTH: WORKGROUP_SIZE_SOFTWARE };
    const subgroups = usesSubgroups(facts, wishes, WORKGROUP_SIZE_SOFTWARE, SHARING_LANES);
    return {
      name: `direct@${WORKGROUP_SIZE_SOFTWARE}${subgroups ? '/subgroup' : ''}`,
      staged: false,
      subgroups,
      threads: WORKGROUP_SIZE_SOFTWARE,
      rows: THREAD_TILE,
      columns: THREAD_COLUMNS_DIRECT * WORKGROUP_SIZE_SOFTWARE,
      constants,
    };
  }
  return {
    name: `staged@${TILE_ACROSS}x${TILE_DOWN}`,
    staged: true,
    subgroups: false,
    threads: TILE_ACROSS * TILE_DOWN,
    rows: THREAD_TILE * TILE_DOWN,
    columns: THREAD_TILE * TILE_ACROSS,
    constants: { WIDTH: TILE_ACROSS * TILE_DOWN, ACROSS: TILE_ACROSS, DOWN: TILE_DOWN, DEPTH: TILE_DEPTH },
  };
}

/** Terms of a long sum that one workgroup adds up, for a product of `tiles` tiles: so many that the device is busy. A multiple of 16. */
export function partOf(depth: number, tiles: number, { staged }: Tiles): number {
  const parts = staged ? Math.ceil(BUSY_GROUPS / Math.max(1, tiles)) : 1;
  return Math.max(LEAST_PART, Math.ceil(depth / parts / TILE_DEPTH) * TILE_DEPTH);
}

/**
 * Entries, of two words, that each thread of a workgroup may keep in a list, where its statistic has `words` words besides: a power of
 * two.
 */
export function listCapacity(workgroupSize: number, words: number, { limits }: AdapterFacts): number {
  const room = limits.maxComputeWorkgroupStorageSize / WORD_BYTES / workgroupSize - words;
  return Math.min(MOST_LISTED, 2 ** Math.floor(Math.log2(Math.max(1, room / 2))));
}

function defaultWorkgroupSize(
  { classes, lists = false }: PolicyQuery,
  { isFallbackAdapter, limits }: AdapterFacts,
  strategy: Strategy,
): number {
  if (isFallbackAdapter) {
    if (strategy !== 'row-per-thread') return WORKGROUP_SIZE_SOFTWARE;
    const rows = 2 ** Math.floor(Math.log2(GROUP_CLASSES_SOFTWARE / classes));
    return Math.max(WORKGROUP_SIZE_SOFTWARE, Math.min(WORKGROUP_SIZE, rows));
  }
  if (lists) return WORKGROUP_SIZE;
  const most = Math.min(
    WORKGROUP_SIZE_LONG,
    limits.maxComputeInvocationsPerWorkgroup,
    limits.maxComputeWorkgroupSizeX,
  );
  const wanted = 2 ** Math.floor(Math.log2(classes / LANE_CLASSES));
  return Math.max(WORKGROUP_SIZE, Math.min(most, wanted));
}

/** What any row gets that is split. */
export function leastWorkgroupSize(facts: AdapterFacts): number {
  return defaultWorkgroupSize({ classes: 1, inner: 1 }, facts, 'split-row');
}

/** The largest workgroup up to `size` whose steps end where a segment of the caller's length does. */
function fitting(size: number, segment = 0): number {
  let width = size;
  while (segment % (BLOCK * width) !== 0) width /= 2;
  return width;
}

function defaultStrategy(
  { classes, inner, alone = false }: PolicyQuery,
  { isFallbackAdapter }: AdapterFacts,
): Strategy {
  if (inner >= COALESCED_INNER && classes <= THREAD_CLASSES_STRIDED) return 'row-per-thread';
  const shared = !isFallbackAdapter || alone;
  if (classes <= (shared ? THREAD_CLASSES : THREAD_CLASSES_SOFTWARE)) return 'row-per-thread';
  return classes <= (isFallbackAdapter ? WORKGROUP_CLASSES_SOFTWARE : WORKGROUP_CLASSES)
    ? 'row-per-workgroup'
    : 'split-row';
}
