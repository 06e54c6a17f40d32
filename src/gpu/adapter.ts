import { InvalidArgumentError, invalid } from '../errors.js';
import type { AdapterFacts, AdapterLimits } from '../info.js';
import type { Absence } from './refusals.js';

/** Features that kernels can use, taken where the adapter has them. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ['subgroups', 'shader-f16', 'timestamp-query'];

/** Limits of which everything the adapter has is asked for. */
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
] as const;

/** The limits that shape the work. */
const KNOWN_LIMITS = [
  ...WANTED_LIMITS,
  'maxComputeWorkgroupsPerDimension',
  'minStorageBufferOffsetAlignment',
  'minUniformBufferOffsetAlignment',
] as const satisfies readonly (keyof AdapterLimits)[];

/**
 * An adapter and what it was asked from. Where there is none: `WebGpuUnavailableError` if one was `demanded`, else undefined, also for a
 * software adapter, which is slower than the CPU backend.
 */
export async function findAdapter(
  op: string,
  given: GPU | undefined | PromiseLike<GPU | undefined>,
  demanded: boolean,
): Promise<{ readonly adapter: GPUAdapter; readonly gpu: GPU } | undefined> {
  const none = async (why: Absence, cause?: unknown): Promise<undefined> => {
    if (!demanded) return undefined;
    const { noAdapter } = await import('./refusals.js');
    throw noAdapter(op, why, cause);
  };
  let gpu: GPU | undefined;
  let adapter: GPUAdapter | null;
  try {
    gpu = (await given) ?? ambientGpu();
    if (gpu === undefined || gpu === null) return none('no WebGPU');
    checkGpu(op, gpu);
    adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  } catch (cause) {
    if (cause instanceof InvalidArgumentError) throw cause;
    return none('failure', cause);
  }
  if (adapter === null) return none('no adapter');
  return demanded || !isFallback(adapter) ? { adapter, gpu } : undefined;
}

function checkGpu(op: string, gpu: GPU): void {
  if (typeof gpu.requestAdapter === 'function') return;
  invalid(op, 'gpu must be a GPU object, such as navigator.gpu.');
}

function ambientGpu(): GPU | undefined {
  return (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
}

function isFallback(adapter: GPUAdapter): boolean {
  const older = adapter as GPUAdapter & { readonly isFallbackAdapter?: boolean };
  return adapter.info.isFallbackAdapter ?? older.isFallbackAdapter ?? false;
}

/** A device with everything the adapter offers that kernels can use. */
export async function openDevice(
  op: string,
  { adapter, gpu }: { readonly adapter: GPUAdapter; readonly gpu: GPU },
): Promise<{ readonly device: GPUDevice; readonly facts: AdapterFacts }> {
  const requiredLimits: Record<string, number> = { __proto__: null } as never;
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = WANTED_FEATURES.filter((name) => adapter.features.has(name));
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label: 'webgpu-loss', requiredLimits, requiredFeatures });
  } catch (cause) {
    const { noDevice } = await import('./refusals.js');
    throw noDevice(op, adapter, cause);
  }
  return { device, facts: factsOf(device, adapter.info, gpu) };
}

/** The facts of a device that somebody else opened. */
export function wrapDevice(op: string, device: GPUDevice, given: GPU | undefined): AdapterFacts {
  if (typeof device?.createComputePipelineAsync !== 'function') {
    invalid(op, 'device must be a GPUDevice.');
  }
  return factsOf(device, device.adapterInfo, given ?? ambientGpu());
}

function factsOf(device: GPUDevice, info: GPUAdapterInfo | undefined, gpu: GPU | undefined): AdapterFacts {
  const features = [...device.features].sort();
  const subgroups = features.includes('subgroups');
  return Object.freeze({
    backend: 'webgpu',
    vendor: info?.vendor ?? '',
    architecture: info?.architecture ?? '',
    device: info?.device ?? '',
    description: info?.description ?? '',
    isFallbackAdapter: info?.isFallbackAdapter ?? false,
    features,
    languageFeatures: [...(gpu?.wgslLanguageFeatures ?? [])].sort(),
    subgroupMinSize: subgroups ? (info?.subgroupMinSize ?? 0) : 0,
    subgroupMaxSize: subgroups ? (info?.subgroupMaxSize ?? 0) : 0,
    limits: Object.freeze(limitsOf(device)),
  });
}

/** The limits that shape the work. */
export function limitsOf({ limits }: { readonly limits: GPUSupportedLimits }): AdapterLimits {
  const known = Object.fromEntries(KNOWN_LIMITS.map((name) => [name, limits[name]]));
  return known as Readonly<Record<(typeof KNOWN_LIMITS)[number], number>>;
}
