// tfjs, which only this bench needs.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import manifest from './packages/package.json' with { type: 'json' };

// A folder of its own: what lies beside a package file takes that for its package.
const folder = fileURLToPath(new URL('packages/', import.meta.url));
const require = createRequire(`${folder}package.json`);

/** Installs what the lockfile names, unless that is there. */
export function installTfjs(): void {
  if (isInstalled()) return;
  console.error(`installing tfjs in ${folder}`);
  execFileSync('npm', ['ci', '--prefix', folder, '--ignore-scripts'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Loads one of the packages. */
export function requireTfjs(name: keyof typeof manifest.dependencies): unknown {
  return require(name);
}

/** The folder of the compiled code of the WASM backend. */
export function wasmFolder(): string {
  return `${folder}node_modules/@tensorflow/tfjs-backend-wasm/dist/`;
}

export const TFJS_VERSION: string = manifest.dependencies['@tensorflow/tfjs-core'];

function isInstalled(): boolean {
  return Object.entries(manifest.dependencies).every(([name, version]) => {
    const path = `${folder}node_modules/${name}/package.json`;
    return existsSync(path) && (require(path) as { version: string }).version === version;
  });
}
