import { ieeeMul, ieeeSub } from '../bits.js';
import { flushed } from '../float.js';
import type { Kernel } from '../kernel.js';
import { type SumStat, sumOf } from '../statistic/sum.js';
import type { Epilogue } from '../statistic.js';

/** shaders/epilogue/softmax-grad.wgsl */
export function softmaxGradEpilogue(kernel: Kernel): Epilogue<SumStat, number> {
  const { handover } = kernel;
  const probs = kernel.role('probs');
  const gradOutput = kernel.role('gradOutput');
  const grad = kernel.role('grad');
  return {
    terms: (row, c) => ieeeMul(flushed(probs.load(row, c)), flushed(gradOutput.load(row, c))),
    rowFinish: (_row, stat) => sumOf(stat),
    rowStore: (at, r) => handover.put(at, r),
    rowLoad: (row) => handover.get(kernel.recordAt(row)),
    emit: (row, r, c) => {
      const p = flushed(probs.load(row, c));
      grad.store(row, c, ieeeMul(p, ieeeSub(flushed(gradOutput.load(row, c)), r)));
    },
  };
}
