import type { Layout } from '../../shape.js';
import type { CpuArray } from '../../spec.js';
import { newRowStats } from '../row.js';
import { eachRow, measure, peak } from './row.js';

/** `logSumExp` of float64, computed for float32 results. */
export function logSumExp(logits: CpuArray, out: CpuArray, layout: Layout): void {
  const stats = newRowStats();
  eachRow(layout, logits, undefined, (x, at, _, row) => {
    const to = at + layout.classes;
    measure(x, at, to, peak(x, at, to), 1, stats);
    out[row] = stats.logSumExp;
  });
}
