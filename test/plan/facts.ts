import type { AdapterFacts } from '../../src/info.js';

/** An adapter with subgroups of 8 to 32 and the limits that WebGPU guarantees, but for these changes. */
export function factsWith(changes: Partial<AdapterFacts> = {}): AdapterFacts {
  return {
    backend: 'webgpu',
    vendor: 'test',
    architecture: '',
    device: '',
    description: '',
    isFallbackAdapter: false,
    features: ['subgroups'],
    languageFeatures: ['subgroup_id'],
    subgroupMinSize: 8,
    subgroupMaxSize: 32,
    limits: {
      maxBufferSize: 2 ** 32,
      maxStorageBufferBindingSize: 2 ** 27,
      maxStorageBuffersPerShaderStage: 8,
      maxComputeWorkgroupsPerDimension: 65_535,
      maxComputeInvocationsPerWorkgroup: 256,
      maxComputeWorkgroupSizeX: 256,
      maxComputeWorkgroupStorageSize: 16_384,
      minStorageBufferOffsetAlignment: 256,
      minUniformBufferOffsetAlignment: 256,
    },
    ...changes,
  };
}
