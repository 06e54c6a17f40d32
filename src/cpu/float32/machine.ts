import { plain } from './plain.js';
import type { RowMachine } from './rows.js';
import { openSimd } from './simd/machine.js';

let chosen: Promise<RowMachine> | undefined;

/** What works on rows here: WebAssembly where it runs, else JavaScript. Tried once. */
export function rowMachine(): Promise<RowMachine> {
  chosen ??= openSimd().catch(() => plain);
  return chosen;
}
