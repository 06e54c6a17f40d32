/** WebGPU's buffer usages (Node has no global `GPUBufferUsage`). */
export const USAGE = { copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 } as const;

/**
 * Runs `work` between error scopes and resolves with its result once the device has found no fault in it. Without them a
 * failed allocation or a wrong binding would go unseen, and the numbers read later would be stale.
 *
 * @param what named in the error's message
 * @throws Error with WebGPU's message
 */
export async function guarded<T>(device: GPUDevice, what: string, work: () => T): Promise<T> {
  // Push, work and pop in one go: an await in between would catch errors of somebody else's calls.
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  let scopes: Promise<(GPUError | null)[]>;
  let result: T;
  try {
    result = work();
  } finally {
    scopes = Promise.all([device.popErrorScope(), device.popErrorScope()]);
    // When `work` throws, nobody is left to hear a scope that fails too.
    scopes.catch(() => undefined);
  }
  const fault = (await scopes).find((error) => error !== null);
  if (fault) throw new Error(`${what} failed: ${fault.message}`);
  return result;
}
