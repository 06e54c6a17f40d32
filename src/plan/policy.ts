import { WORD_BYTES } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import type { AdapterFacts } from '../info.js';
import { checkOptions } from '../options.js';

/** How a row's work is laid out on the device. */
export type Strategy = 'row-per-thread' | 'row-per-workgroup' | 'split-row';

export const STRATEGIES: readonly Strategy[] = ['row-per-thread', 'row-per-workgroup', 'split-row'];

/** Every number that may change speed (and, within the error bounds, the last bits of a result), but nothing else. */
export interface Policy {
  readonly strategy: Strategy;
  /** Threads in a workgroup; a power of two. */
  readonly workgroupSize: number;
  /** Classes in a segment of a split row; a multiple of 16 × workgroupSize. */
  readonly segment: number;
  /** Reduce with subgroup shuffles, where the device has them. Changes no bit of any result. */
  readonly subgroups: boolean;
  /** Load four classes at once, where rows are aligned. Changes no bit of any result. */
  readonly vec4: boolean;
  /** Write several elements between two looks at the end of the row: longer code, for long rows. Changes no bit of any result. */
  readonly unrolled: boolean;
}

const POLICY_FIELDS: readonly string[] = [
  'strategy',
  'workgroupSize',
  'segment',
  'subgroups',
  'vec4',
  'unrolled',
];

/** What the choice may depend on. Not on the number of rows: a row's result must not depend on the batch it is in. */
export interface PolicyQuery {
  readonly classes: number;
  /** Distance between two classes of a row: 1 when the class axis is last. */
  readonly inner: number;
  /** True where each lane keeps a list in workgroup memory, which more lanes would have to share. */
  readonly lists?: boolean;
}

/** Bytes of the largest statistic, of which each thread keeps one in workgroup memory. */
const LARGEST_STATISTIC = 32;

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
// A short row would be over before the second look.
const UNROLLED_CLASSES = 512;
const WORKGROUP_SIZE = 64;
const WORKGROUP_SIZE_LONG = 256;
// A lane should have this many classes at least.
const LANE_CLASSES = 16;
// A software adapter runs a workgroup on one core, where each barrier costs a switch of all its threads: as many as its vectors have lanes.
const WORKGROUP_SIZE_SOFTWARE = 8;
/** What every adapter has: reproducible sums run in one tree, whatever is fastest. */
export const REPRODUCIBLE_WORKGROUP_SIZE = 64;

/** The policy for one kind of row on one adapter, with the caller's own wishes (checked) in place of the defaults. */
export function choosePolicy(query: PolicyQuery, facts: AdapterFacts, wishes: Partial<Policy> = {}): Policy {
  const workgroupSize = wishes.workgroupSize ?? fitting(defaultWorkgroupSize(query, facts), wishes.segment);
  const subgroupsFit =
    facts.features.includes('subgroups') &&
    facts.languageFeatures.includes('subgroup_id') &&
    facts.subgroupMinSize > 1 &&
    workgroupSize % facts.subgroupMaxSize === 0;
  return {
    strategy: wishes.strategy ?? defaultStrategy(query, facts),
    workgroupSize,
    segment: wishes.segment ?? SEGMENT * Math.max(1, workgroupSize / 512),
    subgroups: (wishes.subgroups ?? true) && subgroupsFit,
    vec4: wishes.vec4 ?? true,
    unrolled: wishes.unrolled ?? query.classes > UNROLLED_CLASSES,
  };
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
): number {
  if (isFallbackAdapter) return WORKGROUP_SIZE_SOFTWARE;
  if (lists) return WORKGROUP_SIZE;
  const most = Math.min(
    WORKGROUP_SIZE_LONG,
    limits.maxComputeInvocationsPerWorkgroup,
    limits.maxComputeWorkgroupSizeX,
  );
  const wanted = 2 ** Math.floor(Math.log2(classes / LANE_CLASSES));
  return Math.max(WORKGROUP_SIZE, Math.min(most, wanted));
}

/** The largest workgroup up to `size` whose steps end where a segment of the caller's length does. */
function fitting(size: number, segment = 0): number {
  let width = size;
  while (segment % (BLOCK * width) !== 0) width /= 2;
  return width;
}

function defaultStrategy({ classes, inner }: PolicyQuery, { isFallbackAdapter }: AdapterFacts): Strategy {
  if (inner >= COALESCED_INNER && classes <= THREAD_CLASSES_STRIDED) return 'row-per-thread';
  if (classes <= (isFallbackAdapter ? THREAD_CLASSES_SOFTWARE : THREAD_CLASSES)) return 'row-per-thread';
  return classes <= (isFallbackAdapter ? WORKGROUP_CLASSES_SOFTWARE : WORKGROUP_CLASSES)
    ? 'row-per-workgroup'
    : 'split-row';
}

/**
 * The wishes of a call on top of those of its context. Throws `InvalidArgumentError` for what no adapter, or not this one, can grant;
 * that shows only in both together; and for what would change the bits of a context that is `reproducible`.
 */
export function checkPolicy(
  op: string,
  own: Partial<Policy> | undefined,
  facts: AdapterFacts,
  base: Partial<Policy> = {},
  reproducible = false,
): Partial<Policy> {
  if (own === undefined) return base;
  checkOptions(`${op}: policy`, own, POLICY_FIELDS);
  const wishes = { ...base, ...own };
  const fail = (what: string): never => {
    throw new InvalidArgumentError(`${op}: policy.${what}`, { op, adapter: facts });
  };
  const { strategy, workgroupSize, segment } = wishes;
  for (const name of reproducible ? (['strategy', 'workgroupSize', 'segment'] as const) : []) {
    if (wishes[name] !== undefined) {
      fail(
        `${name} changes the last bits of results, which a context with reproducible: true keeps; leave it out.`,
      );
    }
  }
  if (strategy !== undefined && !STRATEGIES.includes(strategy)) {
    fail(`strategy is '${String(strategy)}'; use one of ${STRATEGIES.join(', ')}.`);
  }
  for (const name of ['subgroups', 'vec4', 'unrolled'] as const) {
    if (wishes[name] !== undefined && typeof wishes[name] !== 'boolean')
      fail(`${name} must be true or false.`);
  }
  if (workgroupSize !== undefined) {
    const { limits } = facts;
    const most = Math.min(
      limits.maxComputeInvocationsPerWorkgroup,
      limits.maxComputeWorkgroupSizeX,
      limits.maxComputeWorkgroupStorageSize / LARGEST_STATISTIC,
    );
    if (!Number.isInteger(Math.log2(workgroupSize)) || workgroupSize < 8 || workgroupSize > most) {
      fail(`workgroupSize is ${workgroupSize}; use a power of two from 8 to ${most}.`);
    }
  }
  if (segment !== undefined) {
    const unit = BLOCK * (workgroupSize ?? defaultWorkgroupSize({ classes: 1, inner: 1 }, facts));
    if (!Number.isSafeInteger(segment) || segment <= 0 || segment % unit !== 0) {
      fail(`segment is ${segment}; use a multiple of ${unit} (${BLOCK} × workgroupSize).`);
    }
  }
  return wishes;
}
