// The frameworks, installed next to the built library as in a user's project, and pages that are built from there.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { describe, test } from 'vitest';
import { installPackages } from '../../../scripts/packages.js';
import { root } from '../../docs/markdown.js';
import { type Site, serve } from '../../support/site.js';
import { requiredTargets } from '../../targets/names.js';
import manifest from './package.json' with { type: 'json' };

export const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * A group of tests that need the frameworks, which are installed now. Where that fails, as without a network, the group is skipped and
 * says why, or fails if `WEBGPU_LOSS_REQUIRE` names `chromium`.
 */
export function describeWithFrameworks(name: string, body: () => void): void {
  describe(name, () => {
    const absent = whyNoFrameworks();
    if (absent === undefined) {
      body();
      return;
    }
    test('the frameworks are installed', (context) => {
      if (requiredTargets().has('chromium')) throw new Error(absent);
      context.skip(absent);
    });
  });
}

/** Installs the frameworks, and the library beside them; why that failed, if it did. */
function whyNoFrameworks(): string | undefined {
  try {
    installPackages(here('./'), manifest, 'the frameworks (250 MB)');
  } catch (error) {
    return `the frameworks could not be installed: ${String(error)}`;
  }
  const library = here('./node_modules/webgpu-loss');
  if (!existsSync(library)) symlinkSync(root, library, 'junction');
  return undefined;
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
