import bits from '../../shaders/lib/bits.wgsl?raw';
import expLog from '../../shaders/lib/exp-log.wgsl?raw';
import softmax from '../../shaders/lib/softmax.wgsl?raw';

/** What sums and IEEE special values need. */
export const sumLibraries: readonly string[] = [bits];
/** What anything that takes exp or log of logits needs. */
export const softmaxLibraries: readonly string[] = [bits, expLog, softmax];
