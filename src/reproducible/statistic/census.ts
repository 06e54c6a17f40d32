import { NO_ROW } from '../../plan/epilogue/census.js';
import { isSpecial, met } from '../bits.js';
import { bitsOf, floatOf, flushed, keep } from '../float.js';
import type { Kernel } from '../kernel.js';
import { BLOCK } from '../softmax.js';
import type { Statistic } from '../statistic.js';

export interface CensusStat {
  kept: number;
  weight: number;
  met: number;
  badRow: number;
  badValue: number;
}

/** shaders/statistic/census.wgsl */
export function censusStatistic(kernel: Kernel): Statistic<CensusStat> {
  const { classes, handover } = kernel;
  const targets = kernel.role('targets');
  const weights = kernel.role('weight');
  const extent = kernel.pass.constants.extent ?? 0;
  const count = (stat: CensusStat, row: number): void => {
    if (row >= classes) return;
    const target = targets.load(0, row);
    if (kernel.isIgnored(target)) return;
    if (target >= extent) {
      if (row < stat.badRow) {
        stat.badRow = row;
        stat.badValue = target;
      }
      return;
    }
    const weight = weights.pick(0, target);
    stat.kept += 1;
    stat.met |= met(weight);
    if (!isSpecial(weight)) stat.weight = keep(stat.weight + floatOf(flushed(weight)));
  };
  return {
    zero: () => ({ kept: 0, weight: 0, met: 0, badRow: NO_ROW, badValue: 0 }),
    absorb: (stat, _row, c, step) => {
      for (let i = 0; i < BLOCK; i++) count(stat, c + (i >> 2) * step + (i & 3));
    },
    merge: (a, b) => {
      a.kept += b.kept;
      a.weight = keep(a.weight + b.weight);
      a.met |= b.met;
      if (b.badRow < a.badRow) {
        a.badRow = b.badRow;
        a.badValue = b.badValue;
      }
    },
    store: (at, stat) => {
      handover.put(at, stat.kept);
      handover.put(at + 1, bitsOf(stat.weight));
      handover.put(at + 2, stat.met);
      handover.put(at + 3, stat.badRow);
      handover.put(at + 4, stat.badValue);
    },
    load: (at) => ({
      kept: handover.get(at),
      weight: floatOf(handover.get(at + 1)),
      met: handover.get(at + 2),
      badRow: handover.get(at + 3),
      badValue: handover.get(at + 4),
    }),
  };
}
