import { type Context, createContext } from '../context.js';
import { type LossError, WebGpuUnavailableError } from '../errors.js';
import type { AdapterFacts } from '../info.js';
import { gpu } from '../node.js';
import { OptionError, oneOf } from './arguments.js';

/** Where to compute, as the command line says it. */
export interface Placement {
  readonly backend: 'auto' | 'webgpu' | 'cpu';
  /** `auto`, or what `gpu({ adapter })` takes. */
  readonly adapter: string;
}

/** Checks `--backend` and `--adapter`; throws OptionError. */
export function placementOf(values: {
  readonly backend?: string | undefined;
  readonly adapter?: string | undefined;
}): Placement {
  const backend = oneOf('--backend', values.backend ?? 'auto', ['auto', 'webgpu', 'cpu']);
  const adapter = values.adapter ?? 'auto';
  if (adapter.trim() === '') throw new OptionError('--adapter must not be empty');
  if (backend === 'cpu' && adapter !== 'auto') {
    throw new OptionError(
      `--adapter ${adapter} needs WebGPU, but --backend cpu asks for none; leave one of them out`,
    );
  }
  return { backend, adapter };
}

export interface OpenedContext {
  readonly context: Context;
  /** Why there, in a few words for the user. */
  readonly why: string;
}

/**
 * A context where the user wants it; by default on hardware, else on the CPU, which is faster than a software adapter.
 *
 * @throws WebGpuUnavailableError where WebGPU or an adapter was asked for and is not there
 */
export async function openContext({ backend, adapter }: Placement): Promise<OpenedContext> {
  if (backend === 'cpu') {
    return { context: await createContext({ backend: 'cpu' }), why: 'it was asked for' };
  }
  if (backend === 'webgpu' || adapter !== 'auto') {
    const context = await createContext({ backend: 'webgpu', gpu: await gpu({ adapter }) });
    return { context, why: adapter === 'auto' ? 'WebGPU was asked for' : `"${adapter}" was asked for` };
  }
  try {
    const context = await createContext({ backend: 'webgpu', gpu: await gpu({ adapter: 'hardware' }) });
    return { context, why: 'a GPU' };
  } catch (error) {
    if (!(error instanceof WebGpuUnavailableError)) throw error;
    return { context: await createContext({ backend: 'cpu' }), why: reasonOf(error) };
  }
}

/** The first sentence of an error of the library, without the name of the call. */
function reasonOf(error: LossError): string {
  const [first = ''] = error.message.split(/\. |\.$/);
  return first.replace(`${error.op}: `, '');
}

/** What people call an adapter. */
export function adapterName({
  description,
  device,
  vendor,
}: Pick<AdapterFacts, 'description' | 'device' | 'vendor'>): string {
  return description || device || vendor || 'an adapter without a name';
}
