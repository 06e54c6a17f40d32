import { ieeeMul, isNan } from '../bits.js';
import { BITS_INF, BITS_NAN, BITS_NEG_INF, bitsOf, expGap, floatOf, flushed, keep } from '../float.js';
import type { Kernel } from '../kernel.js';
import { REACH } from '../softmax.js';
import type { Epilogue } from '../statistic.js';

interface Row {
  readonly lse: number;
  readonly g: number;
}

/** shaders/epilogue/log-sum-exp-grad.wgsl */
export function logSumExpGradEpilogue(kernel: Kernel): Epilogue<undefined, Row> {
  const logits = kernel.role('logits');
  const lse = kernel.role('lse');
  const gradOutput = kernel.role('gradOutput');
  const grad = kernel.role('grad');
  return {
    rowLoad: (row) => ({ lse: flushed(lse.get(row)), g: flushed(gradOutput.get(row)) }),
    emit: (row, r, c) => grad.store(row, c, ieeeMul(ratio(flushed(logits.load(row, c)), r.lse), r.g)),
  };
}

/** exp(x - lse) as bits. */
function ratio(x: number, lse: number): number {
  if (isNan(x) || isNan(lse) || lse === BITS_NEG_INF || (x === BITS_INF && lse === BITS_INF)) return BITS_NAN;
  if (x === BITS_NEG_INF || lse === BITS_INF) return 0;
  if (x === BITS_INF) return BITS_INF;
  const [v, l] = [floatOf(x), floatOf(lse)];
  const halfGap = keep(keep(0.5 * v) - keep(0.5 * l));
  return halfGap >= -0.5 * REACH ? bitsOf(expGap(keep(v - l))) : 0;
}
