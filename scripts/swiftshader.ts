// SwiftShader: a Vulkan driver in software. Its files come with the npm package @sparticuz/chromium.
import { constants } from 'node:os';
import { join } from 'node:path';
import { packedChromium, unpackOnce, unpackTar } from './unpack.js';

/** Why SwiftShader from npm cannot run on this machine; `undefined` where it can. */
export async function whyNoSwiftShader(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `the SwiftShader from npm is for Linux on x64, this is ${process.platform} on ${process.arch}`;
  }
  return (await packedChromium())
    ? undefined
    : 'the package @sparticuz/chromium, which holds SwiftShader, is not installed';
}

/** The folder with libvulkan.so.1, libvk_swiftshader.so and its ICD file, unpacked if need be (80 ms). */
export async function unpackSwiftShader(): Promise<string> {
  const packed = await packedChromium();
  if (packed === undefined) {
    throw new Error('@sparticuz/chromium is not installed: run npm ci');
  }
  return unpackOnce(`swiftshader-${packed.version}`, (folder) =>
    unpackTar(join(packed.bin, 'swiftshader.tar.br'), folder),
  );
}

/**
 * Makes SwiftShader the one Vulkan driver of this process, for every Dawn instance created after it.
 *
 * The only one, not a further one: the Vulkan loader and Dawn write warnings to stderr about other software drivers.
 * Must run in the main thread: environment variables of a worker thread do not reach native code.
 */
export async function useSwiftShader(): Promise<void> {
  const folder = await unpackSwiftShader();
  process.env['VK_DRIVER_FILES'] = join(folder, 'vk_swiftshader_icd.json');
  const noDelete = 0x1000; // RTLD_NODELETE, which Node does not name: without it the loader is gone after the call.
  try {
    process.dlopen({ exports: {} }, join(folder, 'libvulkan.so.1'), constants.dlopen.RTLD_NOW | noDelete);
  } catch (error) {
    // A plain library is no Node addon; it is loaded all the same, and Dawn then finds libvulkan.so.1 in the process.
    if (!(error instanceof Error && error.message.includes('did not self-register'))) {
      throw error;
    }
  }
}
