import { sumBits } from '../bits.js';
import { bitsOf } from '../float.js';
import type { Kernel } from '../kernel.js';
import type { CensusStat } from '../statistic/census.js';
import type { Epilogue } from '../statistic.js';

/** shaders/epilogue/census.wgsl */
export function censusEpilogue(kernel: Kernel): Epilogue<CensusStat, CensusStat> {
  const census = kernel.role('census');
  return {
    rowFinish: (_row, stat) => stat,
    rowOutput: (_row, r) => {
      census.put(0, bitsOf(r.kept));
      census.put(1, sumBits(r.weight, r.met));
      census.put(2, r.badRow);
      census.put(3, r.badValue);
    },
  };
}
