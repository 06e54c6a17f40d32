// The package and its types, as judged by publint, by "are the types wrong?", and by TypeScript in projects of strangers.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { needPackages } from '../support/packages.js';
import { newProject, run } from './packed.js';
import manifest from './types/package.json' with { type: 'json' };

const tools = fileURLToPath(new URL('types/', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const project = newProject();
afterAll(() => project.remove());
needPackages(tools, manifest, 'what judges the package and its types (60 MB)');

/** Runs a program of one of the packages of `types`. */
const tool = (path: string, ...args: readonly string[]) =>
  run(process.execPath, [join(tools, 'node_modules', path), ...args], { cwd: project.folder });

test('publint has nothing to say', async () => {
  const said = await tool('publint/src/cli.js', 'run', project.tarball, '--strict');
  expect(said).toContain('All good!');
});

// It exits with an error at the first problem; CommonJS is none that an ESM package promises to work in.
test('no types are wrong', async () => {
  const said = await tool('@arethetypeswrong/cli/dist/index.js', project.tarball, '--profile', 'esm-only');
  for (const entry of project.entries) {
    const [, verdict = ''] = said.split(`"${entry}"\n`);
    expect(verdict.trimStart()).toMatch(/^node16 \(from ESM\): 🟢 \(ESM\)\nbundler: 🟢/);
  }
});

describe('compiles', () => {
  const compilers = {
    // The oldest one that is tried; its lib.dom knows no WebGPU yet.
    'TypeScript 5.9 with @webgpu/types': {
      path: join(tools, 'node_modules/typescript/bin/tsc'),
      types: ['@webgpu/types'],
    },
    'TypeScript 7': { path: join(root, 'node_modules/typescript/bin/tsc'), types: [] },
  };
  for (const [name, { path, types }] of Object.entries(compilers)) {
    for (const moduleResolution of ['nodenext', 'bundler']) {
      test(`in ${name}, moduleResolution ${moduleResolution}`, async () => {
        const packages = join(project.folder, 'node_modules/@webgpu/types');
        if (types.length > 0 && !existsSync(packages)) project.link('@webgpu/types');
        project.write({
          'entries.ts': project.entries
            .map((entry, i) => `export * as entry${i} from ${JSON.stringify(entry)};`)
            .join('\n'),
          'tsconfig.json': JSON.stringify({
            compilerOptions: {
              target: 'es2022',
              lib: ['es2022', 'dom'],
              module: moduleResolution === 'nodenext' ? 'nodenext' : 'esnext',
              moduleResolution,
              types,
              strict: true,
              exactOptionalPropertyTypes: true,
              // The declarations of the package themselves are checked.
              skipLibCheck: false,
              noEmit: true,
            },
            include: ['types.ts', 'entries.ts'],
          }),
        });
        await run(process.execPath, [path, '-p', 'tsconfig.json'], { cwd: project.folder });
      });
    }
  }
});
