// The package as strangers get it: packed by npm, and installed from that file into a project outside the repository.
import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unpackSwiftShader } from '../../scripts/swiftshader.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const consumer = fileURLToPath(new URL('./consumer', import.meta.url));

/** What the tests need of a package file. */
export interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
}

export interface Project {
  readonly folder: string;
  /** The file that was installed. */
  readonly tarball: string;
  /** The package file of the installed package. */
  readonly manifest: Manifest;
  /** What can be imported, by name: `webgpu-loss`, `webgpu-loss/node`, …; no JSON. */
  readonly entries: readonly string[];
  /** Files of the installed package, with `/` between folders. */
  readonly files: readonly string[];
  /** Text of a file of the installed package. */
  read(file: string): string;
  /** Adds files to the project, by their names. */
  write(files: Readonly<Record<string, string>>): void;
  /** Makes packages that the repository has installed packages of the project, without a copy. */
  link(...names: readonly string[]): void;
  remove(): void;
}

/**
 * A new project with the package installed and the programs of `consumer` in it. npm may reach no registry, so the package has to come
 * alone.
 *
 * @throws Error where there is no build
 */
export function newProject(): Project {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('there is no build: run `npm run build`');
  const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-consumer-'));
  const write = (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  };
  write({ 'package.json': '{ "name": "consumer", "private": true, "type": "module" }' });
  const npm = (...args: readonly string[]) =>
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  // No scripts: they build, and the tests are told to have been built before.
  const name = npm('pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  const tarball = join(folder, name);
  npm('install', '--silent', '--offline', '--ignore-scripts', '--prefix', folder, tarball);
  cpSync(consumer, folder, { recursive: true });

  const installed = join(folder, 'node_modules/webgpu-loss');
  const read = (file: string) => readFileSync(join(installed, file), 'utf8');
  const manifest: Manifest = JSON.parse(read('package.json'));
  return {
    folder,
    tarball,
    manifest,
    entries: Object.entries(manifest.exports)
      .filter(([, target]) => typeof target !== 'string')
      .map(([entry]) => entry.replace('.', 'webgpu-loss')),
    files: readdirSync(installed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(installed.length + 1)
          .replaceAll('\\', '/'),
      ),
    read,
    write,
    link: (...names) => {
      for (const each of names) {
        const path = join(folder, 'node_modules', each);
        mkdirSync(join(path, '..'), { recursive: true });
        symlinkSync(join(root, 'node_modules', each), path, 'junction');
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Runs a program; gives what it prints. Rejects with all that it said if it fails. */
export function run(
  program: string,
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd, env: { ...process.env, ...env }, timeout: 240_000 };
    // Not stderr: Dawn and the drivers write warnings of their own there.
    execFile(program, [...args], options, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stdout}${stderr}`, { cause: error })) : resolve(stdout),
    );
  });
}

/** The environment in which a program finds SwiftShader as its one Vulkan driver. */
export async function swiftShaderEnvironment(): Promise<Record<string, string>> {
  const folder = await unpackSwiftShader();
  return { LD_LIBRARY_PATH: folder, VK_DRIVER_FILES: join(folder, 'vk_swiftshader_icd.json') };
}
