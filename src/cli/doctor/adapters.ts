import { createRequire } from 'node:module';
import { WebGpuUnavailableError } from '../../errors.js';
import { limitsOf } from '../../gpu/open.js';
import type { AdapterLimits } from '../../info.js';
import { listAdapters } from '../../node/adapters.js';
import { gpu } from '../../node.js';

/** What an adapter says of itself. */
export interface FoundAdapter {
  /** As `--adapter` and `gpu({ adapter })` take it. */
  readonly name: string;
  /** The API under WebGPU, such as vulkan, metal or d3d12; undefined where it is not told. */
  readonly api: string | undefined;
  readonly software: boolean;
  readonly vendor: string;
  readonly architecture: string;
  /** Often with the version of the driver. */
  readonly description: string;
  readonly features: readonly string[];
  readonly limits: AdapterLimits;
}

/** The version of the package `webgpu`; undefined where it is not installed. */
export function installedWebgpu(): string | undefined {
  const require = createRequire(import.meta.url);
  try {
    return String(require('webgpu/package.json').version);
  } catch {
    return undefined;
  }
}

/**
 * All adapters of this machine, hardware first.
 *
 * @throws WebGpuUnavailableError where the package `webgpu` does not load
 */
export async function findAdapters(): Promise<readonly FoundAdapter[]> {
  const found: FoundAdapter[] = [];
  for (const { name, api } of await listAdapters()) {
    const adapter = await openNamed(name);
    if (adapter !== null) found.push(describe(adapter, name, api));
  }
  if (found.length === 0) {
    // A version of Dawn that lists in other words, or not at all.
    const adapter = await (await gpu()).requestAdapter({ powerPreference: 'high-performance' });
    if (adapter !== null) found.push(describe(adapter, adapter.info.device, undefined));
  }
  return found.sort((a, b) => Number(a.software) - Number(b.software));
}

/** The best of the adapters, as `gpu({ adapter })` takes it; undefined where there is none. */
export function bestOf([first]: readonly FoundAdapter[]): string | undefined {
  // One that Dawn did not list has a name that Dawn does not know.
  return first?.api === undefined ? first && 'auto' : first.name;
}

/** Null for one that cannot be had by its name, which can be used by nobody. */
async function openNamed(name: string): Promise<GPUAdapter | null> {
  const opened = await gpu({ adapter: name }).catch((error: unknown) => {
    if (error instanceof WebGpuUnavailableError) return undefined;
    throw error;
  });
  return (await opened?.requestAdapter({ powerPreference: 'high-performance' })) ?? null;
}

function describe(adapter: GPUAdapter, name: string, api: string | undefined): FoundAdapter {
  const { info, features } = adapter;
  return {
    name,
    api,
    software: info.isFallbackAdapter,
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description,
    features: [...features].sort(),
    limits: limitsOf(adapter),
  };
}
