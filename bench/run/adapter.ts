import type { Context, Policy } from 'webgpu-loss';
import { type AdapterChoice, openGpu } from '../../scripts/adapters.js';
import type { Library } from '../measure/ours.js';

/** What a bench can run on without being asked for: whatever of it the machine has. */
export const ADAPTERS: readonly string[] = ['hardware', 'lavapipe', 'swiftshader', 'cpu'];

/** Makes contexts on one adapter, each with a device of its own. */
export type OpenContext = (policy?: Partial<Policy>) => Promise<Context>;

// Dawn rounds timestamps to 0.1 ms otherwise.
const FLAGS = ['disable-dawn-features=timestamp_quantization'];

/**
 * @param adapter `'cpu'`: the CPU backend; else as in `openGpu`
 * @throws WebGpuUnavailableError where the machine has no such adapter
 */
export async function openAdapter({ createContext }: Library, adapter: AdapterChoice): Promise<OpenContext> {
  if (adapter === 'cpu') return (policy = {}) => createContext({ backend: 'cpu', policy });
  const { gpu, why } = await openGpu({ adapter, flags: FLAGS });
  if (gpu === null) throw new Error(why);
  return (policy = {}) => createContext({ backend: 'webgpu', gpu, policy });
}
