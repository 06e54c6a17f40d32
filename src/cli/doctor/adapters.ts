import { createRequire } from 'node:module';
import { limitsOf } from '../../gpu/adapter.js';
import type { AdapterLimits } from '../../info.js';
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
    const opened = await gpu({ adapter: name });
    const adapter = await opened.requestAdapter({ powerPreference: 'high-performance' });
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

/** WebGPU gives one adapter of all, but Dawn names them all where none has the name that is asked for. */
async function listAdapters(): Promise<readonly { readonly name: string; readonly api: string }[]> {
  const message = await gpu({ adapter: 'no adapter has this name' }).then(
    () => '',
    (error: Error) => error.message,
  );
  const lines = [...message.matchAll(/\* backend: '([^']*)', name: '([^\n]*)'/g)];
  const all = lines.map(([, api = '', name = '']) => ({ name, api }));
  // One that is there through several APIs has a name only once; the first is the one that Dawn takes.
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
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
