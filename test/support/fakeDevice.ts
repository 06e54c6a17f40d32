// A device that computes nothing: plans made on it say what would run, the same on every machine.

const LIMITS = {
  maxBufferSize: 2 ** 40,
  maxStorageBufferBindingSize: 2 ** 40,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  minStorageBufferOffsetAlignment: 256,
  minUniformBufferOffsetAlignment: 256,
};

/** Accepts everything and compiles anything; has the limits that WebGPU guarantees, but no end of memory. */
export function fakeDevice(): GPUDevice {
  const device = {
    features: new Set<string>(),
    limits: LIMITS,
    lost: new Promise(() => undefined),
    queue: {},
    createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] }) }),
    createBindGroupLayout: () => ({}),
    createPipelineLayout: () => ({}),
    createComputePipelineAsync: async () => ({}),
    createBuffer: ({ size, usage }: GPUBufferDescriptor) => ({ size, usage, destroy: () => undefined }),
    pushErrorScope: () => undefined,
    popErrorScope: async () => null,
    destroy: () => undefined,
  };
  return device as unknown as GPUDevice;
}
