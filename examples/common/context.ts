// Which context a command of the examples computes on.
import { type Context, createContext } from 'webgpu-loss';
import { type OpenedGpu, openGpu } from '../../scripts/adapters.js';
import { OptionError, oneOf } from '../../scripts/arguments.js';

const BACKENDS = ['auto', 'webgpu', 'cpu'] as const;

/** What a command line asks to compute on. */
export interface Wanted {
  readonly backend: (typeof BACKENDS)[number];
  /** auto, hardware, swiftshader, lavapipe, or a part of an adapter's name. */
  readonly adapter: string;
}

/** The part of a help text about these options. */
export const WANTED_HELP = `\
  --backend NAME   auto (default): WebGPU if there is any adapter, else the CPU
                   webgpu: WebGPU or fail;  cpu: the CPU
  --adapter NAME   auto (default): hardware, else SwiftShader from npm
                   hardware, swiftshader, lavapipe, or a part of an adapter's name: that one or fail`;

/** The options as `readArguments` takes them. */
export const WANTED_ARGUMENTS = { backend: { type: 'string' }, adapter: { type: 'string' } } as const;

/** @throws OptionError where they contradict each other, or ask for what there is not */
export function parseWanted(values: { readonly backend?: string; readonly adapter?: string }): Wanted {
  const backend = oneOf('--backend', values.backend ?? 'auto', BACKENDS);
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
  /** What computes: a GPU, a software adapter, or the CPU backend. */
  readonly kind: 'hardware' | 'software' | 'cpu';
  /** Which it is and why, in a sentence for people. */
  readonly why: string;
}

/** The context that the options ask for. */
export async function openContext({ backend, adapter }: Wanted): Promise<OpenedContext> {
  const onCpu = async (why: string): Promise<OpenedContext> => ({
    context: await createContext({ backend: 'cpu' }),
    kind: 'cpu',
    why,
  });
  if (backend === 'cpu') return onCpu('CPU backend: it was asked for.');
  const { gpu, kind, why }: OpenedGpu = await openGpu({ adapter });
  if (gpu !== null && kind !== 'none') {
    return { context: await createContext({ backend: 'webgpu', gpu }), kind, why };
  }
  if (backend === 'webgpu') throw new Error(`--backend webgpu: ${why}`);
  return onCpu(`CPU backend. ${why}`);
}
