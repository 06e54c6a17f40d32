import { ambientGpu, type Found } from '../adapter.js';
import { invalid } from '../errors.js';
import type { AdapterFacts, AdapterLimits } from '../info.js';
import type { Arithmetic } from '../plan/arithmetic.js';
import { GpuBackend } from './backend.js';

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

/** A backend on a device of its own, with everything the adapter offers that kernels can use. */
export async function openGpu(
  op: string,
  { adapter, gpu }: Found,
  arithmetic: Arithmetic | undefined,
): Promise<GpuBackend> {
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
  return new GpuBackend(device, factsOf(device, adapter.info, gpu), true, arithmetic);
}

/** A backend on a device that somebody else opened. Throws `DeviceLostError` where it is lost already. */
export async function shareGpu(
  op: string,
  device: GPUDevice,
  given: GPU | undefined,
  arithmetic: Arithmetic | undefined,
): Promise<GpuBackend> {
  if (typeof device?.createComputePipelineAsync !== 'function') {
    invalid(op, 'device must be a GPUDevice.');
  }
  const facts = factsOf(device, device.adapterInfo, given ?? ambientGpu());
  const shared = new GpuBackend(device, facts, false, arithmetic);
  // A device that is lost already says so in the next turns of the loop.
  await Promise.race([shared.lost, new Promise((resolve) => setTimeout(resolve, 0))]);
  shared.check(op);
  return shared;
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
