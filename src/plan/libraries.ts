import bits from '../../shaders/lib/bits.wgsl?raw';
import expLog from '../../shaders/lib/exp-log.wgsl?raw';
import logits from '../../shaders/lib/logits.wgsl?raw';
import softmax from '../../shaders/lib/softmax.wgsl?raw';

// Lists in full: a bundler cannot leave out what another list is spread into.

/** What sums and IEEE special values need. */
export const sumLibraries: readonly string[] = [bits];
/** What needs the softmax of a row. */
export const softmaxLibraries: readonly string[] = [bits, expLog, softmax];
/** The same for what has a role `logits`. */
export const logitsLibraries: readonly string[] = [bits, expLog, softmax, logits];
