// The frameworks, installed next to the built library as in a user's project, and pages that are built from there.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { installPackages } from '../../../scripts/packages.js';
import { root } from '../../docs/markdown.js';
import { type Site, serve } from '../../support/site.js';
import manifest from './package.json' with { type: 'json' };

export const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Installs the frameworks, and the library beside them, which must have been built. */
export function installFrameworks(): void {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('there is no build: run `npm run build`');
  installPackages(here('./'), manifest, 'the frameworks (250 MB)');
  const library = here('./node_modules/webgpu-loss');
  if (!existsSync(library)) symlinkSync(root, library, 'junction');
}

/** A folder in which imports find the frameworks and the library. */
export function newProject(): { readonly folder: string; remove(): void } {
  // Not below node_modules, where bundlers take nothing for an app's own code.
  const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-frameworks-'));
  mkdirSync(join(folder, 'public'));
  symlinkSync(here('./node_modules'), join(folder, 'node_modules'), 'junction');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Builds the pages `names` (HTML files) of `folder` into `outDir`, and serves them. */
export async function servePages(folder: string, names: readonly string[], outDir: string): Promise<Site> {
  await build({
    configFile: false,
    root: folder,
    logLevel: 'error',
    resolve: {
      // The maker of ONNX models belongs to the bench of the peers, which has packages of its own.
      alias: { protobufjs: here('./node_modules/protobufjs') },
    },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2023',
      minify: false,
      chunkSizeWarningLimit: 1e5,
      rollupOptions: { input: names.map((name) => join(folder, name)) },
    },
  });
  return serve(outDir);
}
