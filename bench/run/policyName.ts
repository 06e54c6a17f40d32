import type { Policy } from 'webgpu-loss';

/** What our contender is called under a policy: `ours{strategy=split-row}`. */
export function nameOfPolicy(policy: Partial<Policy>): string {
  return `ours{${Object.entries(policy)
    .map(([field, value]) => `${field}=${value}`)
    .join(',')}}`;
}
