// How adapters are found, with a Dawn that is made up: this machine may have one adapter or none.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { bestOf, findAdapters, installedWebgpu } from '../../src/cli/doctor/adapters.js';
import { WebGpuUnavailableError } from '../../src/errors.js';
import { type GpuOptions, gpu } from '../../src/node.js';

vi.mock(import('../../src/node.js'), () => ({ gpu: vi.fn() }));
afterEach(() => vi.mocked(gpu).mockReset());

/** Dawn on a machine with these adapters, which it lists in these words where it has none of a name. */
function machine(adapters: Readonly<Record<string, { readonly software: boolean }>>, listing: string): void {
  vi.mocked(gpu).mockImplementation(async ({ adapter = 'auto' }: GpuOptions = {}) => {
    const name = Object.keys(adapters).find((each) => adapter === 'auto' || each.includes(adapter));
    if (name === undefined && adapter !== 'auto') throw new WebGpuUnavailableError(listing);
    const found = name === undefined ? null : fake(name, adapters[name]?.software ?? false);
    return { requestAdapter: async () => found } as unknown as GPU;
  });
}

function fake(name: string, isFallbackAdapter: boolean): GPUAdapter {
  const info = {
    device: name.toLowerCase(),
    isFallbackAdapter,
    vendor: 'v',
    architecture: '',
    description: 'd',
  };
  return { info, features: new Set(['subgroups']), limits: {} } as unknown as GPUAdapter;
}

describe('findAdapters', () => {
  test('finds all that Dawn lists, once each, hardware first', async () => {
    machine(
      { 'Soft (8, 9 bits)': { software: true }, 'Big GPU': { software: false } },
      `gpu: none. Dawn says: no suitable backends found\nAvailable adapters:
 * backend: 'vulkan', name: 'Soft (8, 9 bits)'
 * backend: 'd3d12', name: 'Big GPU'
 * backend: 'vulkan', name: 'Big GPU'`,
    );
    const found = await findAdapters();
    expect(found.map(({ name, api, software }) => [name, api, software])).toEqual([
      ['Big GPU', 'd3d12', false],
      ['Soft (8, 9 bits)', 'vulkan', true],
    ]);
    expect(bestOf(found)).toBe('Big GPU');
  });

  test('finds the one that WebGPU gives where nothing is listed', async () => {
    machine({ Quiet: { software: false } }, 'in other words');
    const found = await findAdapters();
    expect(found).toMatchObject([{ name: 'quiet', api: undefined, software: false }]);
    expect(bestOf(found)).toBe('auto');
  });

  test('finds none', async () => {
    machine({}, 'no suitable backends found\nAvailable adapters:\n');
    expect(await findAdapters()).toEqual([]);
    expect(bestOf([])).toBeUndefined();
  });

  test('passes on that the package does not load', async () => {
    vi.mocked(gpu).mockRejectedValue(new WebGpuUnavailableError('gpu: does not load'));
    await expect(findAdapters()).rejects.toThrow('gpu: does not load');
  });
});

test('the package webgpu is installed here', () => {
  expect(installedWebgpu()).toMatch(/^\d+\.\d+\.\d+/);
});
