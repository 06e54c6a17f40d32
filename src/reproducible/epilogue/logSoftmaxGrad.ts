import { ieeeMul, ieeeSub, isSpecial } from '../bits.js';
import { BITS_NEG_INF, bitsOf, expGap, floatOf, flushed } from '../float.js';
import type { Kernel } from '../kernel.js';
import { type SumStat, sumOf } from '../statistic/sum.js';
import type { Epilogue } from '../statistic.js';

const REACH = Math.fround(87.3);

/** shaders/epilogue/log-softmax-grad.wgsl */
export function logSoftmaxGradEpilogue(kernel: Kernel): Epilogue<SumStat, number> {
  const { handover } = kernel;
  const logProbs = kernel.role('logProbs');
  const gradOutput = kernel.role('gradOutput');
  const grad = kernel.role('grad');
  const terms = (row: number, c: number): number => flushed(gradOutput.load(row, c));
  return {
    terms,
    rowFinish: (_row, stat) => sumOf(stat),
    rowStore: (at, r) => handover.put(at, r),
    rowLoad: (row) => handover.get(kernel.recordAt(row)),
    emit: (row, r, c) => {
      const share = ieeeMul(expBits(logProbs.load(row, c)), r);
      grad.store(row, c, ieeeSub(terms(row, c), share));
    },
  };
}

function expBits(logProb: number): number {
  if (logProb === BITS_NEG_INF) return 0;
  if (isSpecial(logProb)) return logProb;
  const d = floatOf(flushed(logProb));
  return d >= -REACH ? bitsOf(expGap(d)) : 0;
}
