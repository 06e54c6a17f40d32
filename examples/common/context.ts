// Which context a command of the examples computes on.
import { type Context, createContext } from 'webgpu-loss';
import { type OpenedGpu, openGpu } from '../../scripts/adapters.js';
import type { Placement } from '../../src/cli/context.js';

export { type Placement, placementOf } from '../../src/cli/context.js';

/** The part of a help text about these options. */
export const PLACEMENT_HELP = `\
  --backend NAME   auto (default): WebGPU if there is any adapter, else the CPU
                   webgpu: WebGPU or fail;  cpu: the CPU
  --adapter NAME   auto (default): hardware, else SwiftShader from npm
                   hardware, swiftshader, lavapipe, or a part of an adapter's name: that one or fail`;

/** The options as `readArguments` takes them; `placementOf` checks them. */
export const PLACEMENT_ARGUMENTS = { backend: { type: 'string' }, adapter: { type: 'string' } } as const;

export interface OpenedContext {
  readonly context: Context;
  /** What computes: a GPU, a software adapter, or the CPU backend. */
  readonly kind: 'hardware' | 'software' | 'cpu';
  /** Which it is and why, in a sentence for people. */
  readonly why: string;
}

/** The context that the options ask for. */
export async function openContext({ backend, adapter }: Placement): Promise<OpenedContext> {
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
