import type { Operands, Storage } from './backend.js';
import { invalid } from './errors.js';
import type { Spec } from './spec.js';

/**
 * Refuses operands of which one is written and shares its memory with another. WebGPU does, even where the ranges do not overlap; so
 * the CPU does, too.
 */
export function checkAliasing(spec: Spec, operands: Operands): void {
  const users = new Map<unknown, string>();
  const writers = new Set<unknown>();
  for (const [name, { storage }] of Object.entries(operands)) {
    const memory = memoryOf(storage);
    const other = users.get(memory);
    const writes = spec.roles[name]?.access !== 'in';
    if (other !== undefined && (writes || writers.has(memory))) {
      invalid(
        spec.op,
        `${other} and ${name} lie in the same buffer and one of them is written. Use separate buffers, ` +
          "or grad: 'in-place' for a gradient over the logits.",
      );
    }
    users.set(memory, name);
    if (writes) writers.add(memory);
  }
}

function memoryOf(storage: Storage): unknown {
  return 'buffer' in storage ? storage.buffer : storage.memory;
}
