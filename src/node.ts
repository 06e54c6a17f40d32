/**
 * WebGPU for Node.
 *
 * @module webgpu-loss/node
 */
import { InvalidArgumentError, WebGpuUnavailableError } from './errors.js';
import { dawnInstance, messageOf } from './node/dawn.js';

/** Options of `gpu`. */
export interface GpuOptions {
  /**
   * Which adapter the `GPU` may give:
   * - `'auto'` (the default): whatever the machine has; whether there is any shows when a context is made.
   * - `'hardware'`: rejects unless the machine has a GPU that is not a software rasteriser.
   * - `'swiftshader'`, `'lavapipe'`: that software rasteriser; rejects if it is not installed as a Vulkan driver.
   * - any other string: only adapters whose name contains it, as Dawn spells the name (`'NVIDIA'`); rejects if there
   *   is none, and says which there are.
   */
  readonly adapter?: 'auto' | 'hardware' | 'swiftshader' | 'lavapipe' | (string & {});
  /** Further flags for Dawn, such as `'disable-dawn-features=timestamp_quantization'`. */
  readonly flags?: readonly string[];
}

/** Dawn compares names letter by letter, and lavapipe's adapter goes by another name. */
const spelling: ReadonlyMap<string, string> = new Map([
  ['swiftshader', 'SwiftShader'],
  ['lavapipe', 'llvmpipe'],
]);

/**
 * A `GPU` for Node, from the package `webgpu` (Dawn), which must be installed next to this one.
 *
 * Give it to a context: `createContext({ gpu: await gpu() })`; the promise itself will do as well. The object is kept
 * alive for as long as the process lives, and the same options give the same object. No global is set.
 *
 * Rejects with `WebGpuUnavailableError` if the package is missing or does not load on this machine, or if the adapter
 * asked for is not there, and with `InvalidArgumentError` for options of the wrong kind.
 */
export async function gpu(options: GpuOptions = {}): Promise<GPU> {
  const { adapter = 'auto', flags = [] } = options;
  if (typeof adapter !== 'string' || adapter === '') {
    throw new InvalidArgumentError(
      `gpu: adapter must be 'auto', 'hardware' or a part of an adapter's name, got ${JSON.stringify(adapter)}.`,
      { op: 'gpu' },
    );
  }
  if (!Array.isArray(flags) || !flags.every((flag) => typeof flag === 'string')) {
    throw new InvalidArgumentError(`gpu: flags must be an array of strings, got ${JSON.stringify(flags)}.`, {
      op: 'gpu',
    });
  }
  if (adapter === 'auto') {
    return dawnInstance(flags);
  }
  const named = adapter !== 'hardware';
  const instance = await dawnInstance(
    named ? [`adapter=${spelling.get(adapter) ?? adapter}`, ...flags] : flags,
  );
  const found = await firstAdapter(instance, adapter);
  if (found === null || (!named && found.info.isFallbackAdapter)) {
    throw new WebGpuUnavailableError(
      named
        ? `gpu: this machine has no WebGPU adapter whose name contains ${JSON.stringify(adapter)}.`
        : `gpu: this machine has no hardware WebGPU adapter${found ? `, only ${found.info.description}, which is software` : ''}. ` +
            "Install the GPU's driver, or leave `adapter` out.",
      { op: 'gpu' },
    );
  }
  return instance;
}

async function firstAdapter(instance: GPU, adapter: string): Promise<GPUAdapter | null> {
  try {
    return await instance.requestAdapter({ powerPreference: 'high-performance' });
  } catch (cause) {
    // Dawn throws, and lists what there is, where a name matches nothing.
    throw new WebGpuUnavailableError(
      `gpu: no WebGPU adapter for ${JSON.stringify(adapter)}. Dawn says: ${messageOf(cause)}`,
      { op: 'gpu', cause },
    );
  }
}
