import { isSpecial, met, sumBits } from '../bits.js';
import { bitsOf, floatOf, keep } from '../float.js';
import type { Kernel } from '../kernel.js';
import { BLOCK, sumLanes } from '../softmax.js';
import type { AnyEpilogue, Statistic } from '../statistic.js';

export interface SumStat {
  sum: number;
  met: number;
}

/** shaders/statistic/sum.wgsl */
export function sumStatistic({ handover }: Kernel, epilogue: AnyEpilogue): Statistic<SumStat> {
  const terms = epilogue.terms as (row: number, c: number) => number;
  const values = new Float64Array(BLOCK);
  return {
    zero: () => ({ sum: 0, met: 0 }),
    absorb: (stat, row, c, step) => {
      for (let i = 0; i < BLOCK; i++) {
        const term = terms(row, c + (i >> 2) * step + (i & 3));
        stat.met |= met(term);
        values[i] = isSpecial(term) ? 0 : floatOf(term);
      }
      stat.sum = keep(stat.sum + sumLanes(values));
    },
    merge: (a, b) => {
      a.sum = keep(a.sum + b.sum);
      a.met |= b.met;
    },
    store: (at, stat) => {
      handover.put(at, bitsOf(stat.sum));
      handover.put(at + 1, stat.met);
    },
    load: (at) => ({ sum: floatOf(handover.get(at)), met: handover.get(at + 1) }),
  };
}

export function sumOf(stat: SumStat): number {
  return sumBits(stat.sum, stat.met);
}
