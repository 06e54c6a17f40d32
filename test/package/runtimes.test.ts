// The installed package in Deno and Bun, whose programs come from npm (see `runtimes`).
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, type TestContext, test } from 'vitest';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { needPackages } from '../support/packages.js';
import { requiredTargets } from '../targets/names.js';
import { expectedLosses } from './expected.js';
import { newProject, run, swiftShaderEnvironment } from './packed.js';
import manifest from './runtimes/package.json' with { type: 'json' };

const folder = fileURLToPath(new URL('runtimes/', import.meta.url));
const project = newProject();
afterAll(() => project.remove());
needPackages(folder, manifest, 'Deno and Bun (190 MB)');

/** A program of one of the packages of `scope`, each of which is for one platform; skips the test where there is none for this one. */
function programOf(scope: string, file: RegExp, context: TestContext): string {
  const at = join(folder, 'node_modules', scope);
  const files = existsSync(at) ? readdirSync(at, { recursive: true, encoding: 'utf8' }) : [];
  const found = files.find((path) => file.test(path));
  if (found !== undefined) return join(at, found);
  const platform = `${process.platform} on ${process.arch}`;
  if (platform === 'linux on x64') throw new Error(`${at} holds no program`);
  context.skip(`the tests have no package of ${scope} for ${platform}`);
}

const deno = (context: TestContext) => programOf('@deno', /[\\/]deno(\.exe)?$/, context);
const bun = (context: TestContext) => programOf('@oven', /[\\/]bun(\.exe)?$/, context);
const env = { DENO_DIR: join(project.folder, 'deno'), DENO_NO_UPDATE_CHECK: '1' };

async function swiftShader(context: TestContext): Promise<Record<string, string>> {
  const absent = await whyNoSwiftShader();
  if (absent !== undefined) {
    if (requiredTargets().has('swiftshader')) throw new Error(absent);
    context.skip(absent);
  }
  return { ...env, ...(await swiftShaderEnvironment()) };
}

describe('Deno', () => {
  test('on the CPU, with no permission', async (context) => {
    const args = ['run', '--no-prompt', '--no-remote', 'terminal.js', 'cpu', 'navigator'];
    const said = await run(deno(context), args, { cwd: project.folder, env });
    expect(JSON.parse(said)).toEqual({ backend: 'cpu', ...expectedLosses() });
  });

  test("on Deno's own WebGPU, on SwiftShader, with no permission", async (context) => {
    const args = ['run', '--no-prompt', '--no-remote', 'terminal.js', 'webgpu', 'navigator'];
    const said = await run(deno(context), args, { cwd: project.folder, env: await swiftShader(context) });
    expect(JSON.parse(said)).toEqual({ backend: 'webgpu', ...expectedLosses() });
  });
});

describe('Bun', () => {
  test('on the CPU, where the package webgpu is not installed', async (context) => {
    for (const where of ['navigator', 'node']) {
      const args = ['terminal.js', 'auto', where];
      const said = await run(bun(context), args, { cwd: project.folder, env });
      expect(JSON.parse(said)).toEqual({ backend: 'cpu', ...expectedLosses() });
    }
  });

  test('with the package webgpu, on SwiftShader', async (context) => {
    project.link('webgpu');
    const args = ['terminal.js', 'webgpu', 'node'];
    const said = await run(bun(context), args, { cwd: project.folder, env: await swiftShader(context) });
    expect(JSON.parse(said)).toEqual({ backend: 'webgpu', ...expectedLosses() });
  });
});
