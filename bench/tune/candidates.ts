import type { AdapterFacts, Policy } from 'webgpu-loss';

/** What is tried of each field of the policy: a new field is a type error here until it has its values. */
const VALUES: { readonly [F in keyof Policy]: readonly Policy[F][] } = {
  strategy: ['row-per-thread', 'row-per-workgroup', 'split-row'],
  workgroupSize: [4, 8, 16, 32, 64, 128, 256, 512],
  segment: [4096, 8192, 16384, 32768],
  subgroups: [true, false],
  vec4: [true, false],
};

/** Where a field makes a difference; elsewhere a candidate leaves it out. Without a rule: everywhere. */
const MATTERS: {
  readonly [F in keyof Policy]?: (policy: Partial<Policy>, facts: AdapterFacts) => boolean;
} = {
  segment: ({ strategy }) => strategy === 'split-row',
  subgroups: ({ strategy }, { features }) => strategy !== 'row-per-thread' && features.includes('subgroups'),
};

/** All combinations. What an adapter cannot grant is for the library to refuse. */
export function candidates(facts: AdapterFacts): readonly Partial<Policy>[] {
  let all: readonly Partial<Policy>[] = [{}];
  for (const [field, values] of Object.entries(VALUES) as [keyof Policy, readonly Policy[keyof Policy][]][]) {
    const matters = MATTERS[field] ?? (() => true);
    all = all.flatMap((policy) =>
      matters(policy, facts) ? values.map((value) => ({ ...policy, [field]: value })) : [policy],
    );
  }
  return all;
}
