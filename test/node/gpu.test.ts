import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { useSwiftShader, whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { InvalidArgumentError, WebGpuUnavailableError } from '../../src/errors.js';
import { gpu } from '../../src/node.js';

const source = fileURLToPath(new URL('../../src/', import.meta.url));
const tsx = import.meta.resolve?.('tsx') ?? 'tsx';

/** Runs `code` as a module in a process of its own, in `folder`; returns what it prints. */
async function run(folder: string, code: string, nodeFlags: string[] = []): Promise<string> {
  const script = join(folder, 'script.mts');
  writeFileSync(script, code);
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags, '--import', tsx, script], {
    timeout: 60_000,
  });
  return stdout;
}

describe('where the package webgpu does not load', () => {
  let folder: string;
  const failure = `
    import { gpu } from './src/node.ts';
    const error = await gpu().then(() => ({}), (error) => error);
    console.log(error.name + ': ' + error.message, String(error.cause?.code), String(error.cause));`;

  // A copy of the module outside this repository: there Node finds no package.
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-test-'));
    cpSync(source, join(folder, 'src'), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function installWebgpu(code: string): void {
    const target = join(folder, 'node_modules', 'webgpu');
    mkdirSync(target, { recursive: true });
    writeFileSync(join(target, 'package.json'), '{"name":"webgpu","type":"module","main":"index.js"}');
    writeFileSync(join(target, 'index.js'), code);
  }

  test('a missing package is named, with the command that installs it', async () => {
    const printed = await run(folder, failure);
    expect(printed).toMatch(/^WebGpuUnavailableError: .*'webgpu' is not installed.*npm install webgpu/);
    expect(printed).toContain('ERR_MODULE_NOT_FOUND');
  });

  test('a binary that the system cannot load is told apart from a missing package', async () => {
    installWebgpu('throw new Error("libc.so.6: version `GLIBC_2.34\' not found");');
    const printed = await run(folder, failure);
    expect(printed).toMatch(/^WebGpuUnavailableError: .*does not load.*glibc 2\.34.*`GLIBC_2\.34' not found/);
    expect(printed).not.toContain('is not installed');
  });

  test('a package that lacks one of its own parts is not called missing', async () => {
    installWebgpu("import 'webgpu-binary-for-this-machine';");
    expect(await run(folder, failure)).toMatch(/does not load.*webgpu-binary-for-this-machine/);
  });

  test('flags that Dawn refuses are named', async () => {
    installWebgpu("export function create() { throw new Error('unknown option'); }");
    const printed = await run(folder, failure.replace('gpu()', "gpu({ flags: ['colour=red'] })"));
    expect(printed).toMatch(/^WebGpuUnavailableError: .*"colour=red".*unknown option/);
  });
});

describe('gpu(options)', () => {
  test.each([
    [{ adapter: '' }, 'adapter'],
    [{ adapter: 3 }, 'adapter'],
    [{ flags: 'backend=vulkan' }, 'flags'],
    [{ flags: [1] }, 'flags'],
  ])('%j is refused', async (options, named) => {
    const refusal = gpu(options as never);
    await expect(refusal).rejects.toThrow(InvalidArgumentError);
    await expect(refusal).rejects.toThrow(named);
  });

  test('the same options give the same object, so calling it often costs nothing', async () => {
    expect(await gpu()).toBe(await gpu({ adapter: 'auto', flags: [] }));
    expect(await gpu()).not.toBe(await gpu({ flags: ['disable-dawn-features=timestamp_quantization'] }));
  });

  test('a name that no adapter has is refused, by that name', async () => {
    const refusal = gpu({ adapter: 'no such adapter' });
    await expect(refusal).rejects.toThrow(WebGpuUnavailableError);
    await expect(refusal).rejects.toThrow('"no such adapter"');
  });

  test('no global is set', async () => {
    const globals = new Set(Object.getOwnPropertyNames(globalThis));
    await (await gpu()).requestAdapter();
    expect(Object.getOwnPropertyNames(globalThis).filter((name) => !globals.has(name))).toEqual([]);
  });
});

describe.runIf((await whyNoSwiftShader()) === undefined)('with SwiftShader as the only driver', () => {
  test('it is found by name, and is no hardware', async () => {
    await useSwiftShader();
    const adapter = await (await gpu({ adapter: 'swiftshader' })).requestAdapter();
    expect(adapter?.info.description).toMatch(/SwiftShader/);
    const refusal = gpu({ adapter: 'hardware' });
    await expect(refusal).rejects.toThrow(WebGpuUnavailableError);
    await expect(refusal).rejects.toThrow(/only SwiftShader.*software/);
  });

  test('the GPU outlives the collector while a device of it is in use', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-test-'));
    const code = `
      import { gpu } from ${JSON.stringify(join(source, 'node.ts'))};
      import { useSwiftShader } from ${JSON.stringify(join(source, '../scripts/swiftshader.ts'))};
      await useSwiftShader();
      const device = await (await (await gpu()).requestAdapter()).requestDevice();
      for (let i = 0; i < 20; i++) {
        globalThis.gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
        const buffer = device.createBuffer({ size: 256, usage: 1 | 8 });
        device.queue.writeBuffer(buffer, 0, new Float32Array([i]));
        await buffer.mapAsync(1);
        if (new Float32Array(buffer.getMappedRange())[0] !== i) throw new Error('wrong');
      }
      device.destroy();
      console.log('done');`;
    try {
      expect(await run(folder, code, ['--expose-gc'])).toBe('done\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
