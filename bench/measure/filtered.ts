// linearCrossEntropy without the gradients that would not show in a sum in bfloat16.
import type { Contender } from './contender.js';
import { type OursOptions, oursContender } from './ours.js';

/** The filter of Cut Cross-Entropy, https://arxiv.org/abs/2411.09009. */
const GRAD_FILTER = 2 ** -12;

/** The same kernels with a filter. On the CPU it skips nothing. */
export function filteredContender(options: OursOptions): Contender {
  const ours = oursContender({ ...options, gradFilter: GRAD_FILTER });
  return {
    name: 'ours-filtered',
    gradFilter: GRAD_FILTER,
    async prepare(of, data) {
      return of.op === 'linearCrossEntropyGrad' ? ours.prepare(of, data) : undefined;
    },
  };
}
