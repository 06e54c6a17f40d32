import type { Layout } from '../../shape.js';
import type { CpuArray } from '../../spec.js';
import type { RowMachine } from './rows.js';

/** `logSumExp` of float64, computed for float32 results. */
export function logSumExp(machine: RowMachine, logits: CpuArray, out: CpuArray, layout: Layout): void {
  machine.eachBlock(layout, logits, undefined, (block) => {
    const { first, rows, facts } = block;
    block.measure(1, false);
    for (let k = 0; k < rows; k++) {
      out[first + k] = logSumExpFrom(facts[2 * k] as number, Math.log1p(facts[2 * k + 1] as number), 1);
    }
  });
}

/** From the maximum and log(1 + rest) of a row, as `RowBlock.measure` gives them. */
export function logSumExpFrom(max: number, logSum: number, temperature: number): number {
  return Number.isFinite(max) ? max / temperature + logSum : max;
}
