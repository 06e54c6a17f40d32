/** What is known of the machine that does the work: chosen once, when the context is made. */
export interface AdapterFacts {
  readonly backend: 'webgpu' | 'cpu';
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** True for a software rasteriser such as SwiftShader or lavapipe. */
  readonly isFallbackAdapter: boolean;
  /** Features of the device, sorted. */
  readonly features: readonly string[];
  /** Language features of WGSL that the implementation has, sorted. */
  readonly languageFeatures: readonly string[];
  /** Smallest and largest subgroup; 0 where the device has no subgroups. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly limits: AdapterLimits;
}

/** The limits that shape the work; all in bytes or counts. */
export interface AdapterLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly minStorageBufferOffsetAlignment: number;
  readonly minUniformBufferOffsetAlignment: number;
}
