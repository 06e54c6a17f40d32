// What computes, and what it can do at most.
import type { AdapterFacts } from 'webgpu-loss';
import { nameOfAdapter } from '../backend.js';
import { figureList } from '../dom.js';
import { bytes, count } from '../format.js';

export interface AdapterFigures {
  readonly root: HTMLElement;
  show(facts: AdapterFacts): void;
}

export function adapterFigures(): AdapterFigures {
  const figures = figureList({
    adapter: 'Adapter',
    buffer: 'Largest buffer',
    binding: 'Largest binding',
    threads: 'Threads in a workgroup',
    memory: 'Workgroup memory',
    subgroups: 'Threads in a subgroup',
    features: 'Features in use',
  });
  return {
    root: figures.root,
    show(facts) {
      const { limits, subgroupMinSize: least, subgroupMaxSize: most } = facts;
      const size = (value: number): string => (value === Number.MAX_SAFE_INTEGER ? 'no limit' : bytes(value));
      const ofGpu = (text: string): string => (facts.backend === 'webgpu' ? text : 'none');
      figures.set({
        adapter: nameOfAdapter(facts),
        buffer: size(limits.maxBufferSize),
        binding: size(limits.maxStorageBufferBindingSize),
        threads: ofGpu(count(limits.maxComputeInvocationsPerWorkgroup)),
        memory: ofGpu(bytes(limits.maxComputeWorkgroupStorageSize)),
        subgroups: most === 0 ? 'none' : least === most ? String(most) : `${least} to ${most}`,
        features: facts.features.join(', ') || 'none',
      });
    },
  };
}
