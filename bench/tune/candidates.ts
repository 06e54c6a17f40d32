import type { AdapterFacts, Policy } from 'webgpu-loss';

/** What is tried of each field of the policy: a new field is a type error here until it has its values. */
const VALUES: { readonly [F in keyof Policy]: readonly Policy[F][] } = {
  strategy: ['row-per-thread', 'row-per-workgroup', 'split-row'],
  workgroupSize: [8, 16, 32, 64, 128, 256, 512],
  segment: [4096, 8192, 16384, 32768],
  subgroups: [true, false],
  vec4: [true, false],
  unrolled: [true, false],
  kept: [true, false],
  apart: [true, false],
  staged: [true, false],
};

/** Fields that are tried only with what is fast without them: all combinations of everything would compile for hours. */
const DETAILS: ReadonlySet<keyof Policy> = new Set([
  'subgroups',
  'vec4',
  'unrolled',
  'kept',
  'apart',
  'staged',
]);

/** Where a field makes a difference; elsewhere a candidate leaves it out. Without a rule: everywhere. */
const MATTERS: {
  readonly [F in keyof Policy]?: (policy: Partial<Policy>, facts: AdapterFacts) => boolean;
} = {
  segment: ({ strategy }) => strategy === 'split-row',
  kept: ({ strategy }) => strategy === 'row-per-workgroup',
  apart: ({ strategy }) => strategy !== 'split-row',
  // Nothing that is tuned here has a product.
  staged: () => false,
  subgroups: ({ strategy }, { features }) => strategy !== 'row-per-thread' && features.includes('subgroups'),
};

type Field = keyof Policy;
type Values = readonly (readonly [Field, readonly Policy[Field][]])[];
const FIELDS = Object.entries(VALUES) as unknown as Values;

/** The policies to begin with. What an adapter cannot grant is for the library to refuse. */
export function outlines(facts: AdapterFacts): readonly Partial<Policy>[] {
  return combined(
    {},
    FIELDS.filter(([field]) => !DETAILS.has(field)),
    facts,
  );
}

/** A policy with all the details that it leaves open. */
export function detailed(policy: Partial<Policy>, facts: AdapterFacts): readonly Partial<Policy>[] {
  return combined(
    policy,
    FIELDS.filter(([field]) => DETAILS.has(field)),
    facts,
  );
}

function combined(start: Partial<Policy>, fields: Values, facts: AdapterFacts): readonly Partial<Policy>[] {
  return fields.reduce<readonly Partial<Policy>[]>(
    (policies, [field, values]) =>
      policies.flatMap((policy) =>
        (MATTERS[field]?.(policy, facts) ?? true)
          ? values.map((value) => ({ ...policy, [field]: value }))
          : [policy],
      ),
    [start],
  );
}
