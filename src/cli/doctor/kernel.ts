import type { Context } from '../../context.js';
import { choosePolicy, type Policy } from '../../plan/policy.js';
import { CONSERVATIVE, type KernelFacts, sharedDepth, splitDepth } from './bounds.js';

/** How the kernels sum that `ctx` runs for rows whose classes are `inner` apart, under the policy of the call. */
export function kernelFacts(ctx: Context, inner: number, policy: Partial<Policy> = {}): KernelFacts {
  const depth = (classes: number, apart: number, lanes?: number): number => {
    const { strategy, workgroupSize, segment } = choosePolicy({ classes, inner: apart }, ctx.info, policy);
    switch (strategy) {
      case 'row-per-thread':
        return sharedDepth(classes, 1, lanes);
      case 'row-per-workgroup':
        return sharedDepth(classes, workgroupSize, lanes);
      case 'split-row':
        return splitDepth(classes, workgroupSize, segment, lanes);
    }
  };
  // A sum over rows runs as one long row. A thread counts targets, and adds up their weights, one by one.
  return {
    ...CONSERVATIVE,
    depth: (n) => depth(n, inner),
    rowsDepth: (n) => depth(n, 1),
    weightsDepth: (n) => depth(n, 1, 1),
  };
}
