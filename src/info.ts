/** What is known of the machine that does the work: chosen once, when the context is made. */
export interface AdapterFacts {
  /** What computes. */
  readonly backend: 'webgpu' | 'cpu';
  /** As `GPUAdapterInfo` says it, like the next three; empty where it says nothing. */
  readonly vendor: string;
  /** The family of the GPU. */
  readonly architecture: string;
  /** The vendor's identifier of the GPU. */
  readonly device: string;
  /** The name of the GPU for people. */
  readonly description: string;
  /** True for a software rasteriser such as SwiftShader or lavapipe. */
  readonly isFallbackAdapter: boolean;
  /** Features of the device, sorted. */
  readonly features: readonly string[];
  /** Language features of WGSL that the implementation has, sorted. */
  readonly languageFeatures: readonly string[];
  /** Threads in the smallest subgroup; 0 where the device has no subgroups. */
  readonly subgroupMinSize: number;
  /** Threads in the largest subgroup; 0 where the device has no subgroups. */
  readonly subgroupMaxSize: number;
  /** What the device allows. */
  readonly limits: AdapterLimits;
}

/** The limits that shape the work; all in bytes or counts. */
export interface AdapterLimits {
  /** Bytes of a buffer. */
  readonly maxBufferSize: number;
  /** Bytes of a buffer that one binding covers; larger matrices are worked on in chunks. */
  readonly maxStorageBufferBindingSize: number;
  /** Buffers that a kernel can bind. */
  readonly maxStorageBuffersPerShaderStage: number;
  /** Workgroups along one dimension of a dispatch. */
  readonly maxComputeWorkgroupsPerDimension: number;
  /** Threads in a workgroup. */
  readonly maxComputeInvocationsPerWorkgroup: number;
  /** Threads in a workgroup along its first dimension. */
  readonly maxComputeWorkgroupSizeX: number;
  /** Bytes of memory that the threads of a workgroup share. */
  readonly maxComputeWorkgroupStorageSize: number;
  /** The offset of a storage binding is a multiple of so many bytes. */
  readonly minStorageBufferOffsetAlignment: number;
  /** The offset of a uniform binding is a multiple of so many bytes. */
  readonly minUniformBufferOffsetAlignment: number;
}
