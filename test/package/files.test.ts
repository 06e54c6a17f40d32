// What is in the package, and that all of it can be found by name.
import { afterAll, describe, expect, test } from 'vitest';
import { newProject, run } from './packed.js';

const project = newProject();
afterAll(() => project.remove());

const { files, manifest, entries } = project;

test('holds the build and what people read, and nothing else', () => {
  for (const file of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/index.js']) {
    expect(files).toContain(file);
  }
  const others = files.filter(
    (file) =>
      !['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'].includes(file) &&
      !/^dist\/[\w/.-]+(\.js|\.js\.map|\.d\.ts|LICENSES?\.(md|txt))$/.test(file),
  );
  expect(others).toEqual([]);
});

describe('source maps', () => {
  const maps = files.filter((file) => file.endsWith('.map'));

  test('are there, each of a file that names it', () => {
    const named = files
      .filter((file) => /\.(js|d\.ts)$/.test(file))
      .flatMap((file) => {
        const [, map] = /^\/\/# sourceMappingURL=(.*)$/m.exec(project.read(file)) ?? [];
        return map === undefined ? [] : [file.replace(/[^/]*$/, map)];
      });
    expect(maps).not.toHaveLength(0);
    expect(named.sort()).toEqual(maps.sort());
  });

  test('hold the sources that they name, since the package has none', () => {
    for (const map of maps) {
      const { sources, sourcesContent = [] } = JSON.parse(project.read(map));
      expect(sourcesContent.length, map).toBe(sources.length);
      for (const text of sourcesContent) expect(typeof text, map).toBe('string');
    }
  });
});

test('every entry point is loaded by its name in Node', async () => {
  expect(entries).toEqual(expect.arrayContaining(['webgpu-loss', 'webgpu-loss/node', 'webgpu-loss/cpu']));
  const code = entries.map(
    (entry) =>
      `console.log(${JSON.stringify(entry)}, Object.keys(await import(${JSON.stringify(entry)})).length > 0);`,
  );
  project.write({ 'entries.js': code.join('\n') });
  const said = await run(process.execPath, ['entries.js'], { cwd: project.folder });
  expect(said.trim().split('\n')).toEqual(entries.map((entry) => `${entry} true`));
});

test('nothing but the entry points can be imported', async () => {
  project.write({ 'inside.js': "await import('webgpu-loss/dist/tensor.js');" });
  await expect(run(process.execPath, ['inside.js'], { cwd: project.folder })).rejects.toThrow(
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  );
});

test('its package file can be imported', async () => {
  project.write({
    'version.js':
      "import manifest from 'webgpu-loss/package.json' with { type: 'json' };\nconsole.log(manifest.name);",
  });
  const said = await run(process.execPath, ['--no-warnings', 'version.js'], { cwd: project.folder });
  expect(said.trim()).toBe('webgpu-loss');
});

for (const command of Object.keys(manifest.bin ?? {})) {
  test(`the command ${command} starts`, async () => {
    const said = await run('npx', ['--offline', '--no-install', command, '--help'], { cwd: project.folder });
    expect(said).toContain(command);
  });
}
