// tfjs, which only this bench needs.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../scripts/packages.js';
import manifest from './packages/package.json' with { type: 'json' };

// A folder of its own: what lies beside a package file takes that for its package.
const folder = fileURLToPath(new URL('packages/', import.meta.url));
const require = createRequire(`${folder}package.json`);

export function installTfjs(): void {
  installPackages(folder, manifest, 'tfjs');
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
