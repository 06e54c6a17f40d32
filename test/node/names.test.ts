// Which adapter `gpu({ adapter })` means, on machines that are made up.
import { describe, expect, test, vi } from 'vitest';
import { InvalidArgumentError, WebGpuUnavailableError } from '../../src/errors.js';
import { gpu } from '../../src/node.js';
import { FakeDawn } from '../support/fakeDawn.js';

const dawn = new FakeDawn();
vi.mock('webgpu', () => dawn.module);

const RTX = 'NVIDIA GeForce RTX 3060';
const SOFTWARE = { name: 'llvmpipe (LLVM 15.0.6, 256 bits)', software: true };

async function given(names: readonly string[], adapter: string): Promise<string | undefined> {
  dawn.adapters = [...names.map((name) => ({ name })), SOFTWARE];
  dawn.listing = undefined;
  const found = await (await gpu({ adapter })).requestAdapter();
  return found?.info.device;
}

describe('gpu({ adapter }) with a part of a name', () => {
  test('is the one adapter whose name contains it, in any case', async () => {
    expect(await given(['Intel(R) Arc A770', RTX], 'NVIDIA')).toBe(RTX);
    expect(await given(['Intel(R) Arc A770', RTX], 'nvidia')).toBe(RTX);
    expect(await given([RTX, 'Intel(R) Arc A770'], 'arc')).toBe('Intel(R) Arc A770');
    expect(await given([RTX], 'lavapipe')).toBe(SOFTWARE.name);
  });

  test('is refused where it is a part of several names, with these', async () => {
    const refusal = given([RTX, 'NVIDIA RTX A2000', 'Intel(R) Arc A770'], 'nvidia');
    await expect(refusal).rejects.toThrow(InvalidArgumentError);
    await expect(refusal).rejects.toThrow(
      `gpu: the names of several adapters contain "nvidia": "${RTX}", "NVIDIA RTX A2000". Give one of these names in full.`,
    );
  });

  test('is the adapter of just this name, although another contains it', async () => {
    expect(await given([RTX, `${RTX} Ti`], RTX)).toBe(RTX);
    expect(await given([RTX, `${RTX} Ti`], RTX.toLowerCase())).toBe(RTX);
    expect(await given([RTX, `${RTX} Ti`], `${RTX} Ti`)).toBe(`${RTX} Ti`);
  });

  test('is never another adapter: one that Dawn cannot be asked for is refused', async () => {
    const refusal = given([`${RTX} Ti`, RTX], RTX);
    await expect(refusal).rejects.toThrow(WebGpuUnavailableError);
    await expect(refusal).rejects.toThrow(
      `the adapter "${RTX}" cannot be had by its name, since that is a part of "${RTX} Ti", which comes first.`,
    );
  });

  test('is the first of adapters that have one name', async () => {
    expect(await given([RTX, RTX], 'nvidia')).toBe(RTX);
  });

  test('is refused where no name contains it, with those there are', async () => {
    const refusal = given([RTX], 'Radeon');
    await expect(refusal).rejects.toThrow(WebGpuUnavailableError);
    await expect(refusal).rejects.toThrow(`contains "Radeon"; there are: "${RTX}", "${SOFTWARE.name}".`);
  });

  test('is left to Dawn where that lists nothing', async () => {
    dawn.adapters = [{ name: 'Intel(R) Arc A770' }, { name: RTX }];
    dawn.listing = 'in other words';
    expect((await (await gpu({ adapter: 'NVIDIA' })).requestAdapter())?.info.device).toBe(RTX);
    await expect(gpu({ adapter: 'Radeon' })).rejects.toThrow('"Radeon". Dawn says: in other words');
  });

  test('is refused where there is no adapter at all', async () => {
    dawn.adapters = [];
    await expect(gpu({ adapter: 'NVIDIA' })).rejects.toThrow(
      'no WebGPU adapter whose name contains "NVIDIA".',
    );
  });
});

test("'hardware' is refused where there is software alone", async () => {
  dawn.adapters = [SOFTWARE];
  await expect(gpu({ adapter: 'hardware' })).rejects.toThrow(
    `only driver of ${SOFTWARE.name}, which is software`,
  );
});

test('an option that does not exist is refused', async () => {
  await expect(gpu({ adaptor: 'hardware' } as never)).rejects.toThrow(
    "gpu: unknown option 'adaptor'; there are adapter, flags.",
  );
});
