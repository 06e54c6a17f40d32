import { afterEach, describe, expect, test, vi } from 'vitest';
import { openGpu, probeAdapter } from '../../scripts/adapters.js';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { WebGpuUnavailableError } from '../../src/errors.js';
import { withoutSubgroups } from '../targets/without-subgroups.js';

const hasSwiftShader = (await whyNoSwiftShader()) === undefined;

afterEach(() => vi.unstubAllEnvs());

/** Doubles 64 numbers on a device of the adapter. */
async function double(adapter: GPUAdapter | null): Promise<Float32Array> {
  if (adapter === null) {
    throw new Error('no adapter');
  }
  const device = await adapter.requestDevice();
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] *= 2; }`;
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code }) },
  });
  const [storage, copySource, copyTarget, mapRead] = [0x80, 4, 8, 1];
  const buffer = device.createBuffer({ size: 256, usage: storage | copySource | copyTarget });
  const staging = device.createBuffer({ size: 256, usage: mapRead | copyTarget });
  device.queue.writeBuffer(
    buffer,
    0,
    Float32Array.from({ length: 64 }, (_, i) => i),
  );
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 256);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(mapRead);
  const result = new Float32Array(staging.getMappedRange().slice(0));
  device.destroy();
  return result;
}

const doubled = Float32Array.from({ length: 64 }, (_, i) => 2 * i);

describe('probeAdapter', () => {
  test('finds nothing where there is no driver, and does not take that for a failure', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/nonexistent.json');
    vi.stubEnv('VK_ADD_DRIVER_FILES', '');
    if (process.platform === 'linux') {
      expect(await probeAdapter()).toEqual({ found: undefined });
    }
  });

  test('reports a process that ended early', async () => {
    vi.stubEnv('NODE_OPTIONS', '--require=/nonexistent.cjs');
    const { found, failure } = await probeAdapter();
    expect(found).toBeUndefined();
    expect(failure).toContain('/nonexistent.cjs');
  });
});

describe('openGpu', () => {
  test('a name that no adapter has is refused', async () => {
    await expect(openGpu({ adapter: 'no such adapter' })).rejects.toThrow(WebGpuUnavailableError);
  });

  test.runIf(hasSwiftShader)('swiftshader: the one from npm, and it computes', async () => {
    const { gpu, kind, why } = await openGpu({ adapter: 'swiftshader' });
    expect(kind).toBe('software');
    expect(why).toMatch(/^SwiftShader.*asked for/);
    expect(await double((await gpu?.requestAdapter()) ?? null)).toEqual(doubled);
  });

  test.runIf(hasSwiftShader)(
    'auto: SwiftShader where the probe found no driver, and the reason is told',
    async () => {
      vi.stubEnv('VK_DRIVER_FILES', '/nonexistent.json');
      const { gpu, kind, why } = await openGpu();
      expect(kind).toBe('software');
      expect(why).toMatch(/^SwiftShader.*from npm.*no adapter/);
      expect((await gpu?.requestAdapter())?.info.description).toMatch(/SwiftShader/);
    },
  );

  test('auto: hardware exactly where the probe finds it', async () => {
    const { found } = await probeAdapter();
    const { kind, gpu } = await openGpu({ adapter: 'auto' });
    if (found && !found.software) {
      expect(kind).toBe('hardware');
      expect((await gpu?.requestAdapter())?.info.isFallbackAdapter).toBe(false);
    } else {
      expect(kind).toBe(hasSwiftShader ? 'software' : 'none');
    }
  });
});

describe.runIf(hasSwiftShader)('withoutSubgroups', () => {
  test('hides the feature, refuses it, and leaves a working adapter', async () => {
    const { gpu } = await openGpu({ adapter: 'swiftshader' });
    const whole = await gpu?.requestAdapter();
    expect(whole?.features.has('subgroups')).toBe(true);
    const adapter = (await withoutSubgroups(gpu as GPU).requestAdapter()) as GPUAdapter;
    expect(adapter.features.has('subgroups')).toBe(false);
    expect(adapter.features.size).toBe((whole?.features.size ?? 0) - 1);
    expect(adapter.limits.maxBufferSize).toBe(whole?.limits.maxBufferSize);
    await expect(adapter.requestDevice({ requiredFeatures: ['subgroups'] })).rejects.toThrow(TypeError);
    expect(await double(adapter)).toEqual(doubled);
  });
});
