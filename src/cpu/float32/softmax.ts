import type { Layout } from '../../shape.js';
import type { CpuArray } from '../../spec.js';
import { newRowStats } from '../row.js';
import { expRow, STEPS } from './exp.js';
import { eachRow, measure, peak, scaleRow } from './row.js';

/** Logits of a row that are looked at for a shift that is good enough. */
const SAMPLE = 8;

/**
 * `softmax` of float64, computed for float32 results.
 *
 * Any shift gives the same probabilities as long as nothing overflows, so the maximum of a few logits stands for that of the row: one
 * reading of it less. Where it does not do, the maximum is looked for.
 */
export function softmax(logits: CpuArray, out: CpuArray, layout: Layout, temperature: number): void {
  const { classes } = layout;
  const scale = STEPS / temperature;
  eachRow(layout, logits, out, (x, at, results) => {
    const to = at + classes;
    const shift = x[peak(x, at, Math.min(to, at + SAMPLE))] ?? Number.NaN;
    let sum = expRow(x, at, to, shift, scale, results);
    if (!Number.isFinite(sum)) {
      const max = x[peak(x, at, to)] ?? Number.NaN;
      sum = expRow(x, at, to, max, scale, results);
    }
    scaleRow(results, at, to, 1 / sum);
  });
}

/** `logSoftmax` of float64, computed for float32 results. */
export function logSoftmax(logits: CpuArray, out: CpuArray, layout: Layout, temperature: number): void {
  const { classes } = layout;
  const factor = 1 / temperature;
  const stats = newRowStats();
  eachRow(layout, logits, out, (x, at, results) => {
    const to = at + classes;
    measure(x, at, to, peak(x, at, to), temperature, stats);
    const { max, logSum } = stats;
    for (let i = at; i < to; i++) results[i] = ((x[i] as number) - max) * factor - logSum;
  });
}
