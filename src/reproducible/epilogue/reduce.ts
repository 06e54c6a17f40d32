import { ieeeDiv, ieeeMul, isSpecial } from '../bits.js';
import { bitsOf, floatOf, keepBits } from '../float.js';
import type { Kernel } from '../kernel.js';
import { type SumStat, sumOf } from '../statistic/sum.js';
import type { Epilogue } from '../statistic.js';

/** shaders/epilogue/reduce.wgsl */
export function reduceEpilogue(kernel: Kernel): Epilogue<SumStat, number> {
  const losses = kernel.role('losses');
  const census = kernel.role('census');
  const loss = kernel.role('loss');
  const { prescale, postscale } = kernel.numbers;
  return {
    terms: (row, c) => {
      const v = losses.load(row, c);
      return isSpecial(v) ? v : keepBits(floatOf(v) * prescale);
    },
    rowFinish: (_row, stat) => ieeeMul(ieeeDiv(sumOf(stat), census.get(1)), bitsOf(postscale)),
    rowOutput: (_row, r) => loss.put(0, r),
  };
}
