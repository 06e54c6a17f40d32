import { type KernelName, REDUCES } from '../../../src/plan/variant.js';

/** How many threads a kernel has in a workgroup, and how often they wait for each other; from the key of its variant. */
export function meetingsOf(variant: string): { readonly size: number; readonly barriers: number } {
  const [, kernel, size] = /\/([a-z-]+)@(\d+)\//.exec(`${variant}/`) ?? [];
  if (kernel === undefined) throw new Error(`the variant ${variant} names no kernel`);
  const subgroup = /\/subgroup(\d+)/.exec(variant)?.[1];
  const lanes = Number(size);
  if (!REDUCES.has(kernel as KernelName)) return { size: lanes, barriers: 0 };
  // shaders/reduction/tree.wgsl: three levels of the tree between two barriers, and one more barrier before the result is read.
  const leaves = lanes / Number(subgroup ?? 1);
  return { size: lanes, barriers: Math.ceil(Math.log2(leaves) / 3) + 1 };
}
