import { WebGpuUnavailableError } from '../errors.js';

type Dawn = Pick<typeof import('webgpu'), 'create'>;

/**
 * Dawn crashes if the object from `create()` is collected while one of its devices lives, so each is kept for good.
 * One a set of flags and Vulkan settings: an instance costs up to 2 MB, and the Vulkan loader reads these variables
 * only when an instance is made.
 */
const instances = new Map<string, GPU>();

const vulkanSettings = [
  'VK_DRIVER_FILES',
  'VK_ADD_DRIVER_FILES',
  'VK_ICD_FILENAMES',
  'VK_LOADER_DRIVERS_SELECT',
  'VK_LOADER_DRIVERS_DISABLE',
];

/** The `GPU` of Dawn for these flags: the same object for the same flags. Throws `WebGpuUnavailableError`. */
export async function dawnInstance(flags: readonly string[]): Promise<GPU> {
  const key = JSON.stringify([flags, vulkanSettings.map((name) => process.env[name])]);
  let instance = instances.get(key);
  if (instance === undefined) {
    const { create } = await loadDawn();
    try {
      instance = create([...flags]);
    } catch (cause) {
      throw new WebGpuUnavailableError(
        `gpu: Dawn could not start with the flags ${JSON.stringify(flags)}: ${messageOf(cause)}`,
        { op: 'gpu', cause },
      );
    }
    instances.set(key, instance);
  }
  return instance;
}

async function loadDawn(): Promise<Dawn> {
  try {
    return await import('webgpu');
  } catch (cause) {
    const missing =
      cause instanceof Error &&
      'code' in cause &&
      cause.code === 'ERR_MODULE_NOT_FOUND' &&
      /'webgpu'/.test(cause.message);
    throw new WebGpuUnavailableError(
      missing
        ? "gpu: the package 'webgpu' is not installed. WebGPU in Node comes from it: run `npm install webgpu`, or use the CPU with createContext({ backend: 'cpu' })."
        : `gpu: the package 'webgpu' is installed but does not load on this machine (${process.platform} ${process.arch}). ` +
            'It needs 0.6.2 or newer, a platform it has a binary for, and on Linux glibc 2.34 or newer. ' +
            `The CPU works without it: createContext({ backend: 'cpu' }). Underneath: ${messageOf(cause)}`,
      { op: 'gpu', cause },
    );
  }
}

/** The message of whatever was thrown. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
