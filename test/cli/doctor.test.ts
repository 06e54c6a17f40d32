import { afterAll, describe, expect, test } from 'vitest';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { advice } from '../../src/cli/doctor/advice.js';
import { type Diagnosis, formatReport, isHealthy, toJson } from '../../src/cli/doctor/report.js';
import { passed, selfTest } from '../../src/cli/doctor/selfTest.js';
import { type Context, createContext, type Tensor } from '../../src/index.js';
import { cli, onSwiftShader } from './run.js';

const noSwiftShader = await whyNoSwiftShader();
const cpu = await createContext({ backend: 'cpu' });
afterAll(() => cpu.destroy());

/** A context whose matrices are something else than what they were made from, as those of a device that computes wrong. */
function wrongBy(change: (x: number, i: number) => number): Context {
  const tensor = (data: Float32Array<ArrayBuffer>, shape: readonly number[]): Tensor =>
    cpu.tensor(data.map(change), shape);
  return { info: cpu.info, tensor } as unknown as Context;
}

describe('the self-test', () => {
  test('passes on the CPU, and covers each quantity on each shape', async () => {
    const findings = await selfTest(cpu);
    expect(passed(findings)).toBe(true);
    const quantities = new Set(findings.map(({ op, quantity }) => `${op} ${quantity}`));
    expect(quantities.size).toBe(8);
    expect(findings).toHaveLength(3 * quantities.size);
    expect(new Set(findings.map(({ classes }) => classes))).toEqual(new Set([30, 1000, 20_000]));
    // Results are rounded to float32, so a test that compares at all finds some error.
    for (const { quantity, worst } of findings) {
      if (quantity === 'argmax' || quantity === 'rank') expect(worst).toBe(0);
      else expect(worst).toBeGreaterThan(0);
    }
  });

  test('sees logits that are off by 2^-14 of their size', async () => {
    const findings = await selfTest(wrongBy((x, i) => x * (1 + (i % 2 === 0 ? 1 : -1) * 2 ** -14)));
    expect(passed(findings)).toBe(false);
    const wrong = findings.filter(({ worst }) => worst > 1).map(({ quantity }) => quantity);
    for (const quantity of ['probabilities', 'loss', 'gradient', 'log-sum-exp', 'log-probability']) {
      expect(wrong).toContain(quantity);
    }
  });

  test('sees a NaN that is lost, and one too many', async () => {
    for (const change of [
      (x: number) => (Number.isNaN(x) ? 0 : x),
      (x: number, i: number) => (i === 3 ? Number.NaN : x),
      (x: number) => (x === Number.NEGATIVE_INFINITY ? -80 : x),
    ]) {
      const findings = await selfTest(wrongBy(change));
      expect(findings.some(({ worst }) => worst === Number.POSITIVE_INFINITY)).toBe(true);
    }
  });

  test('sees a class out of its place', async () => {
    const findings = await selfTest(wrongBy((x, i) => (i === 17 ? 1000 : x)));
    const wrong = findings.filter(({ worst }) => worst > 1).map(({ quantity }) => quantity);
    expect(wrong).toContain('argmax');
    expect(wrong).toContain('rank');
  });
});

const healthy: Diagnosis = {
  version: '1.2.3',
  node: 'v20.0.0',
  platform: 'linux',
  arch: 'x64',
  webgpu: '0.6.2',
  inspection: {
    adapters: [
      {
        name: 'Some GPU',
        api: 'vulkan',
        software: false,
        vendor: 'some',
        architecture: '',
        description: 'driver 1.0',
        features: ['shader-f16', 'subgroups'],
        limits: {
          ...cpu.info.limits,
          maxBufferSize: 3000 * 2 ** 20,
          maxStorageBufferBindingSize: 2 ** 20,
          maxStorageBuffersPerShaderStage: 10,
        },
      },
    ],
    tested: {
      name: 'driver 1.0',
      findings: [{ op: 'softmax', quantity: 'probabilities', rows: 2, classes: 3, worst: 0.25 }],
    },
  },
  cpu: [{ op: 'softmax', quantity: 'probabilities', rows: 2, classes: 3, worst: 0 }],
};

/** The same with another finding on the adapter. */
function found(worst: number): Diagnosis {
  const findings = [{ op: 'softmax', quantity: 'probabilities', rows: 2, classes: 3, worst }];
  return { ...healthy, inspection: { ...healthy.inspection, tested: { name: 'driver 1.0', findings } } };
}

describe('the report', () => {
  test('of a healthy machine with a GPU gives no advice', () => {
    const text = formatReport(healthy);
    expect(isHealthy(healthy)).toBe(true);
    expect(text).toBe(`webgpu-loss 1.2.3, Node v20.0.0, linux x64
package webgpu: 0.6.2

adapters
  Some GPU: hardware, vulkan
    vendor    some
    driver    driver 1.0
    features  subgroups yes, shader-f16 yes, timestamp-query no; 2 in all
    limits    buffer 3,000 MiB, storage binding 1 MiB, 10 storage buffers, workgroup 256 threads, 16384 bytes

self-test on driver 1.0: passed
  error / bound                      2 x 3
  softmax, probabilities             0.250

self-test on CPU: passed
  error / bound                      2 x 3
  softmax, probabilities             exact

Nothing is wrong.`);
    expect(toJson(healthy)).toMatchObject({ healthy: true, advice: [], problem: null, webgpu: '0.6.2' });
  });

  test('of a wrong result says so', () => {
    for (const [worst, shown] of [
      [1.5, '1.500 wrong'],
      [Number.POSITIVE_INFINITY, 'wrong'],
    ] as const) {
      expect(isHealthy(found(worst))).toBe(false);
      const text = formatReport(found(worst));
      expect(text).toContain('self-test on driver 1.0: FAILED');
      expect(text).toMatch(new RegExp(`probabilities +${shown}$`, 'm'));
      expect(text).toMatch(/Something is wrong: see above\.$/);
    }
    expect(isHealthy({ ...healthy, cpu: found(2).inspection.tested?.findings ?? [] })).toBe(false);
  });

  test('of a problem says so', () => {
    const broken = { ...healthy, inspection: { adapters: [], problem: 'gpu: no luck.' } };
    expect(isHealthy(broken)).toBe(false);
    expect(formatReport(broken)).toContain('\nproblem: gpu: no luck.\n');
    expect(toJson(broken)).toMatchObject({ healthy: false, problem: 'gpu: no luck.' });
  });
});

describe('advice', () => {
  const none = { webgpu: '0.6.2', adapters: [] };

  test('none where there is a GPU, also beside software', () => {
    const adapters = [{ software: true }, { software: false }];
    expect(advice({ platform: 'linux', webgpu: '0.6.2', adapters })).toEqual([]);
  });

  for (const [platform, expected] of [
    ['linux', /libvulkan1.*NVIDIA.*Mesa 25.*bookworm-backports.*Not tried: other distributions/s],
    ['darwin', /Metal.*Not tried on macOS/s],
    ['win32', /Direct3D 12.*Not tried on Windows/s],
    ['freebsd', /none for freebsd/],
  ] as const) {
    test(`on ${platform}`, () => expect(advice({ platform, ...none }).join('\n')).toMatch(expected));
  }

  test('the package first', () => {
    const text = advice({ platform: 'linux', webgpu: undefined, adapters: [] }).join('\n');
    expect(text).toContain('npm install webgpu');
    expect(text).not.toContain('Vulkan');
  });

  test('a software adapter is no GPU', () => {
    expect(advice({ platform: 'linux', webgpu: '0.6.2', adapters: [{ software: true }] })[0]).toMatch(
      /software adapter only, and the CPU is faster/,
    );
  });
});

describe('doctor', () => {
  test.skipIf(noSwiftShader !== undefined)('finds SwiftShader, and tests it and the CPU', async () => {
    const { code, stdout, stderr } = await cli(['doctor', '--json'], { flags: onSwiftShader });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      node: process.version,
      platform: process.platform,
      webgpu: expect.stringMatching(/^\d+\.\d+\.\d+/),
      problem: null,
      healthy: true,
    });
    expect(report.adapters).toHaveLength(1);
    expect(report.adapters[0]).toMatchObject({ api: 'vulkan', software: true });
    expect(report.adapters[0].name).toMatch(/SwiftShader/);
    expect(report.adapters[0].limits.maxBufferSize).toBeGreaterThan(2 ** 20);
    expect(report.selfTests.map(({ passed }: { passed: boolean }) => passed)).toEqual([true, true]);
    expect(report.selfTests[0].on).toMatch(/SwiftShader/);
    expect(report.selfTests[1].on).toBe('CPU');
  });

  test.runIf(process.platform === 'linux')('without a driver: the CPU, and what to install', async () => {
    const env = { VK_DRIVER_FILES: '/nonexistent.json', VK_ADD_DRIVER_FILES: '' };
    const { code, stdout } = await cli(['doctor'], { env });
    expect(code).toBe(0);
    expect(stdout).toContain('adapters: none');
    expect(stdout).toContain('self-test on CPU: passed');
    expect(stdout).toContain('libvulkan1');
    const wanted = await cli(['doctor', '--adapter', 'hardware'], { env });
    expect(wanted.code).toBe(1);
    expect(wanted.stdout).toMatch(/problem: gpu: (this machine has )?no (hardware )?WebGPU adapter/);
  });

  test('outlives a driver that crashes', async () => {
    const crash = `if (process.argv[1].endsWith('inspect.js')) {
      console.error('the driver is upset');
      process.kill(process.pid, 'SIGSEGV');
      for (;;);
    }`;
    const flags = ['--import', `data:text/javascript,${encodeURIComponent(crash)}`];
    const { code, stdout } = await cli(['doctor'], { flags });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /problem: the process that looked at WebGPU ended with SIGSEGV; a driver may be broken\. It wrote: the driver is upset/,
    );
    expect(stdout).toContain('self-test on CPU: passed');
  });
});
