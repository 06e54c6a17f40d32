// The installed package in Node.
import { afterAll, expect, test } from 'vitest';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { requiredTargets } from '../targets/names.js';
import { expectedLosses } from './expected.js';
import { newProject, run, swiftShaderEnvironment } from './packed.js';

const project = newProject();
afterAll(() => project.remove());

test('without the package webgpu, on the CPU', async () => {
  for (const backend of ['cpu', 'auto']) {
    const said = await run(process.execPath, ['terminal.js', backend, 'node'], { cwd: project.folder });
    expect(JSON.parse(said)).toEqual({ backend: 'cpu', ...expectedLosses() });
  }
});

test('without the package webgpu, WebGPU is refused, and what to install is said', async () => {
  await expect(
    run(process.execPath, ['terminal.js', 'webgpu', 'node'], { cwd: project.folder }),
  ).rejects.toThrow(/WebGpuUnavailableError: .*npm install webgpu/);
});

test('with the package webgpu, on SwiftShader', async (context) => {
  const absent = await whyNoSwiftShader();
  if (absent !== undefined) {
    if (requiredTargets().has('swiftshader')) throw new Error(absent);
    context.skip(absent);
  }
  project.link('webgpu');
  const said = await run(process.execPath, ['terminal.js', 'webgpu', 'node'], {
    cwd: project.folder,
    env: await swiftShaderEnvironment(),
  });
  expect(JSON.parse(said)).toEqual({ backend: 'webgpu', ...expectedLosses() });
});
