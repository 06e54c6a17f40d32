import { InvalidArgumentError, invalid } from './errors.js';
import type { Absence } from './gpu/refusals.js';

/** An adapter and what it was asked from. */
export interface Found {
  readonly adapter: GPUAdapter;
  readonly gpu: GPU;
}

/**
 * The adapter to compute on. Where there is none: `WebGpuUnavailableError` if one was `demanded`, else undefined, also for a software
 * adapter, which is slower than the CPU backend.
 */
export async function findAdapter(
  op: string,
  given: Promise<GPU | undefined>,
  demanded: boolean,
): Promise<Found | undefined> {
  const none = async (why: Absence, cause?: unknown): Promise<undefined> => {
    if (!demanded) return undefined;
    const { noAdapter } = await import('./gpu/refusals.js');
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

export function ambientGpu(): GPU | undefined {
  return (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
}

function isFallback(adapter: GPUAdapter): boolean {
  const older = adapter as GPUAdapter & { readonly isFallbackAdapter?: boolean };
  return adapter.info.isFallbackAdapter ?? older.isFallbackAdapter ?? false;
}
