import { type Context, createContext } from '../context.js';

const contexts: WeakMap<GPUDevice, Promise<Context>> = new WeakMap();

/** The context on a framework's device: one for all adapters, so that they compile a kernel once. */
export function contextOn(device: GPUDevice): Promise<Context> {
  const known = contexts.get(device);
  if (known !== undefined) return known;
  const made = createContext({ device });
  contexts.set(device, made);
  made.catch(() => contexts.delete(device));
  return made;
}

/** Whether `value` can be shared as a device; frameworks have none where they run on something else than WebGPU. */
export function isDevice(value: unknown): value is GPUDevice {
  return typeof (value as GPUDevice | undefined)?.createComputePipelineAsync === 'function';
}
