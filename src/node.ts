/**
 * WebGPU for Node.
 *
 * @module webgpu-loss/node
 */
import { InvalidArgumentError, WebGpuUnavailableError } from './errors.js';
import { listAdapters, namesMeant } from './node/adapters.js';
import { dawnInstance, messageOf } from './node/dawn.js';
import { checkOptions } from './options.js';

/** Options of `gpu`. */
export interface GpuOptions {
  /**
   * Which adapter the `GPU` may give:
   * - `'auto'` (the default): whatever the machine has; whether there is any shows when a context is made.
   * - `'hardware'`: rejects unless the machine has a GPU that is not a software rasteriser.
   * - `'swiftshader'`, `'lavapipe'`: that software rasteriser; rejects if it is not installed as a Vulkan driver.
   * - any other string: the adapter of this name, or else the one whose name contains it, in any case (`'nvidia'`). Rejects
   *   if there is none or if several names contain it, and says which there are. Of adapters that have the same name, the first.
   */
  readonly adapter?: 'auto' | 'hardware' | 'swiftshader' | 'lavapipe' | (string & {});
  /** Further flags for Dawn, such as `'disable-dawn-features=timestamp_quantization'`. */
  readonly flags?: readonly string[];
}

/** Names of software rasterisers, and what their adapters call themselves. */
const rasterisers: ReadonlyMap<string, string> = new Map([
  ['swiftshader', 'SwiftShader'],
  ['lavapipe', 'llvmpipe'],
]);

/**
 * A `GPU` for Node, from the package `webgpu` (Dawn), which must be installed next to this one.
 *
 * Give it to a context: `createContext({ gpu: gpu() })`; a context waits for the promise. The object is kept
 * alive for as long as the process lives, and the same options give the same object. No global is set.
 *
 * Rejects with `WebGpuUnavailableError` if the package is missing or does not load on this machine, or if the adapter
 * asked for is not there, and with `InvalidArgumentError` for options of the wrong kind or a name that fits several adapters.
 */
export async function gpu(options: GpuOptions = {}): Promise<GPU> {
  checkOptions('gpu', options, ['adapter', 'flags']);
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
  switch (adapter) {
    case 'auto':
      return dawnInstance(flags);
    case 'hardware':
      return hardware(flags);
    default:
      return named(adapter, flags);
  }
}

async function hardware(flags: readonly string[]): Promise<GPU> {
  const instance = await dawnInstance(flags);
  const found = await firstAdapter(instance, 'hardware');
  if (found !== null && !found.info.isFallbackAdapter) return instance;
  throw new WebGpuUnavailableError(
    `gpu: this machine has no hardware WebGPU adapter${found ? `, only ${found.info.description}, which is software` : ''}. ` +
      "Install the GPU's driver, or leave `adapter` out.",
    { op: 'gpu' },
  );
}

async function named(adapter: string, flags: readonly string[]): Promise<GPU> {
  const rasteriser = rasterisers.get(adapter);
  const listed = await listAdapters(flags);
  const names = namesMeant(rasteriser ?? adapter, listed);
  // Whichever build of a rasteriser comes first is that rasteriser.
  if (names.length > 1 && rasteriser === undefined) {
    throw new InvalidArgumentError(
      `gpu: the names of several adapters contain ${JSON.stringify(adapter)}: ${inQuotes(names)}. Give one of these names in full.`,
      { op: 'gpu' },
    );
  }
  const [name] = names;
  if (name === undefined && listed.length > 0) {
    throw new WebGpuUnavailableError(
      `gpu: this machine has no WebGPU adapter whose name contains ${JSON.stringify(rasteriser ?? adapter)}; ` +
        `there are: ${inQuotes(listed.map((each) => each.name))}.`,
      { op: 'gpu' },
    );
  }
  // Dawn takes the first name that contains the one it is given.
  const first = listed.find((each) => name !== undefined && each.name.includes(name));
  if (first !== undefined && first.name !== name) {
    throw new WebGpuUnavailableError(
      `gpu: the adapter ${JSON.stringify(name)} cannot be had by its name, since that is a part of ${JSON.stringify(first.name)}, which comes first.`,
      { op: 'gpu' },
    );
  }
  const instance = await dawnInstance([`adapter=${name ?? rasteriser ?? adapter}`, ...flags]);
  const found = await firstAdapter(instance, adapter);
  if (found === null) {
    throw new WebGpuUnavailableError(
      `gpu: this machine has no WebGPU adapter whose name contains ${JSON.stringify(adapter)}.`,
      { op: 'gpu' },
    );
  }
  return instance;
}

function inQuotes(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}

async function firstAdapter(instance: GPU, adapter: string): Promise<GPUAdapter | null> {
  try {
    return await instance.requestAdapter({ powerPreference: 'high-performance' });
  } catch (cause) {
    throw new WebGpuUnavailableError(
      `gpu: no WebGPU adapter for ${JSON.stringify(adapter)}. Dawn says: ${messageOf(cause)}`,
      { op: 'gpu', cause },
    );
  }
}
