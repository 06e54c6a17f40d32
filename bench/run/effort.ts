import type { AdapterFacts } from 'webgpu-loss';
import type { BenchOptions } from '../measure/benchCase.js';

type Kind = Pick<AdapterFacts, 'backend' | 'isFallbackAdapter'>;

/** Whether the work runs on a processor's cores and in its memory. */
export function isSoftware({ backend, isFallbackAdapter }: Kind): boolean {
  return backend === 'cpu' || isFallbackAdapter;
}

// What takes longer for one execution would take minutes for a case, and decides nothing.
const PATIENCE_MS = 2500;

/** How long to measure: longer in software, where one execution may take as long as a whole sample elsewhere. */
export function effortFor(kind: Kind, quick: boolean): BenchOptions {
  const sampleMs = isSoftware(kind) ? 20 : 5;
  const measuring = quick
    ? { rounds: 5, sampleMs: sampleMs / 2, budgetMs: 500 }
    : { rounds: 21, sampleMs, budgetMs: 4000 };
  return { ...measuring, patienceMs: PATIENCE_MS };
}

// Past the caches of today's GPUs, so that nothing is found there that a training step would not find there.
const ROTATED_BYTES = 2 ** 28;

/** Bytes of the buffers that take turns; a processor's caches are part of what is measured there. */
export function rotationOf(kind: Kind): number {
  return isSoftware(kind) ? 0 : ROTATED_BYTES;
}
