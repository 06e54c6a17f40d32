// How adapters are found, with a Dawn that is made up: this machine may have one adapter or none.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { bestOf, findAdapters, installedWebgpu } from '../../src/cli/doctor/adapters.js';
import { WebGpuUnavailableError } from '../../src/errors.js';
import { type FakeAdapter, FakeDawn } from '../support/fakeDawn.js';

const dawn = new FakeDawn();
vi.mock('webgpu', () => dawn.module);
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Dawn on a machine with these adapters, which it lists in these words. */
function machine(adapters: readonly FakeAdapter[], listing?: string): void {
  dawn.adapters = adapters;
  dawn.listing = listing;
}

describe('findAdapters', () => {
  test('finds all that Dawn lists, once each, hardware first', async () => {
    machine([
      { name: 'Soft (8, 9 bits)', software: true },
      { name: 'Big GPU', api: 'd3d12' },
      { name: 'Big GPU' },
    ]);
    const found = await findAdapters();
    expect(found.map(({ name, api, software }) => [name, api, software])).toEqual([
      ['Big GPU', 'd3d12', false],
      ['Soft (8, 9 bits)', 'vulkan', true],
    ]);
    expect(bestOf(found)).toBe('Big GPU');
  });

  test('takes none for another whose name contains its own', async () => {
    machine([{ name: 'GPU 30' }, { name: 'GPU 30 Ti' }]);
    const both = await findAdapters();
    expect(both.map(({ name, description }) => [name, description])).toEqual([
      ['GPU 30', 'driver of GPU 30'],
      ['GPU 30 Ti', 'driver of GPU 30 Ti'],
    ]);
    machine([{ name: 'GPU 30 Ti' }, { name: 'GPU 30' }]);
    expect((await findAdapters()).map(({ name }) => name)).toEqual(['GPU 30 Ti']);
  });

  test('finds the one that WebGPU gives where nothing is listed', async () => {
    machine([{ name: 'Quiet' }], 'in other words');
    const found = await findAdapters();
    expect(found).toMatchObject([{ name: 'Quiet', api: undefined, software: false }]);
    expect(bestOf(found)).toBe('auto');
  });

  test('finds none', async () => {
    machine([]);
    expect(await findAdapters()).toEqual([]);
    expect(bestOf([])).toBeUndefined();
  });

  test('passes on that the package does not load', async () => {
    vi.spyOn(dawn.module, 'create').mockImplementation(() => {
      throw new Error('it does not start');
    });
    // Other settings: an instance that Dawn has not made yet.
    vi.stubEnv('VK_DRIVER_FILES', '/another/driver.json');
    await expect(findAdapters()).rejects.toThrow(WebGpuUnavailableError);
  });
});

test('the package webgpu is installed here', () => {
  expect(installedWebgpu()).toMatch(/^\d+\.\d+\.\d+/);
});
