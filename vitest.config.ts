import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { wat } from './scripts/wat.js';
import { requiredTargets, targetNames } from './test/targets/names.js';
import { TargetReporter } from './test/targets/reporter.js';

// A wrong name in WEBGPU_LOSS_REQUIRE ends the run here, not unnoticed.
requiredTargets();

// One folder a run: each target leaves what it measured there, and the reporter prints it at the end.
process.env['WEBGPU_LOSS_RUN_DIR'] ??= mkdtempSync(join(tmpdir(), 'webgpu-loss-run-'));

function project(
  name: string,
  test: NonNullable<TestProjectInlineConfiguration['test']>,
): TestProjectInlineConfiguration {
  return { extends: true, test: { name, ...test } };
}

export default defineConfig({
  plugins: [wat()],
  test: {
    // A process for each file: GPU drivers and their settings belong to a process, not to a thread.
    pool: 'forks',
    // The software adapters are themselves parallel.
    maxWorkers: 2,
    // A software adapter compiles dozens of kernels for some checks, beside another one on the same cores.
    testTimeout: 600_000,
    hookTimeout: 120_000,
    reporters: ['default', new TargetReporter()],
    projects: [
      project('unit', {
        include: ['test/**/*.test.ts'],
        exclude: ['**/node_modules/**', 'test/targets/**', 'test/browser/**'],
      }),
      // Pages as people open them: the demo, the frameworks, the package.
      project('browser', { include: ['test/browser/**/*.test.ts'] }),
      project('types', {
        include: [],
        typecheck: {
          enabled: true,
          only: true,
          include: ['test/types/**/*.test-d.ts'],
          tsconfig: 'test/types/tsconfig.json',
        },
      }),
      // The same conformance checks on every target; see test/targets/names.ts.
      ...targetNames.map((name) =>
        project(name, {
          include: ['test/targets/conformance.test.ts'],
          env: { WEBGPU_LOSS_TARGET: name },
        }),
      ),
    ],
  },
});
