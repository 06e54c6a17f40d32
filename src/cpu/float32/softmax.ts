import type { Layout } from '../../shape.js';
import type { CpuArray } from '../../spec.js';
import type { RowMachine } from './rows.js';

/** `softmax` of float64, computed for float32 results. */
export function softmax(
  machine: RowMachine,
  logits: CpuArray,
  out: CpuArray,
  layout: Layout,
  temperature: number,
): void {
  machine.eachBlock(layout, logits, out, (block) => block.softmax(temperature));
}

/** `logSoftmax` of float64, computed for float32 results. */
export function logSoftmax(
  machine: RowMachine,
  logits: CpuArray,
  out: CpuArray,
  layout: Layout,
  temperature: number,
): void {
  machine.eachBlock(layout, logits, out, (block) => {
    const { facts } = block;
    block.measure(temperature, false);
    for (let k = 1; k < 2 * block.rows; k += 2) facts[k] = Math.log1p(facts[k] as number);
    block.shift(temperature);
  });
}
