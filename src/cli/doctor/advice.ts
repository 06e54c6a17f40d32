import type { FoundAdapter } from './adapters.js';

export interface Machine {
  readonly platform: string;
  /** Version of the package `webgpu`; undefined where it is not installed. */
  readonly webgpu: string | undefined;
  readonly adapters: readonly Pick<FoundAdapter, 'software'>[];
}

/** What to do for a GPU to be used, line by line; nothing where one is. */
export function advice({ platform, webgpu, adapters }: Machine): readonly string[] {
  if (adapters.some(({ software }) => !software)) return [];
  const lines = [
    adapters.length > 0
      ? 'There is a software adapter only, and the CPU is faster: createContext() and eval take the CPU.'
      : 'WebGPU has no adapter here: createContext() and eval take the CPU.',
  ];
  if (webgpu === undefined) {
    return [
      ...lines,
      'To use a GPU: npm install webgpu (WebGPU for Node, 0.6.2 or newer), then run this again.',
    ];
  }
  switch (platform) {
    case 'linux':
      return [
        ...lines,
        'To use a GPU, install the Vulkan loader and a Vulkan driver, then run this again:',
        '  the loader: package libvulkan1 (Debian, Ubuntu), vulkan-loader (Fedora)',
        "  NVIDIA: the vendor's driver, which brings Vulkan",
        '  AMD, Intel: Mesa 25 or newer, package mesa-vulkan-drivers; on Debian 12 from bookworm-backports, its own 22.3 is too old',
        '  glibc 2.34 or newer is needed. vulkaninfo --summary (package vulkan-tools) lists what Vulkan finds',
        'Tried: the loader and Mesa 25 on Debian 12, x64. Not tried: other distributions, and drivers of GPUs.',
      ];
    case 'darwin':
      return [
        ...lines,
        'The package webgpu brings all that it needs but the system: Metal. There is nothing else to install. Not tried on macOS.',
      ];
    case 'win32':
      return [
        ...lines,
        "The package webgpu uses Direct3D 12: update the GPU's driver. There is nothing else to install. Not tried on Windows.",
      ];
    default:
      return [
        ...lines,
        `The package webgpu has binaries for Linux, macOS and Windows, none for ${platform}.`,
      ];
  }
}
