import { InvalidArgumentError } from '../errors.js';
import type { AdapterFacts } from '../info.js';
import { checkOptions } from '../options.js';
import { BLOCK, leastWorkgroupSize, type Policy, STRATEGIES } from './policy.js';

const POLICY_FIELDS: readonly string[] = [
  'strategy',
  'workgroupSize',
  'segment',
  'subgroups',
  'vec4',
  'unrolled',
  'kept',
  'apart',
  'staged',
];

/** Bytes of the largest statistic, of which each thread keeps one in workgroup memory. */
const LARGEST_STATISTIC = 32;

/**
 * The wishes of a call on top of those of its context. Throws `InvalidArgumentError` for what no adapter, or not this one, can grant;
 * that shows only in both together; and for what would change the bits of a backend that is `reproducible`.
 */
export function checkPolicy(
  op: string,
  own: Partial<Policy> | undefined,
  { facts, reproducible }: { readonly facts: AdapterFacts; readonly reproducible: boolean },
  base: Partial<Policy>,
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
  for (const name of ['subgroups', 'vec4', 'unrolled', 'kept', 'apart', 'staged'] as const) {
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
    const unit = BLOCK * (workgroupSize ?? leastWorkgroupSize(facts));
    if (!Number.isSafeInteger(segment) || segment <= 0 || segment % unit !== 0) {
      fail(`segment is ${segment}; use a multiple of ${unit} (${BLOCK} × workgroupSize).`);
    }
  }
  return wishes;
}
