// Bundles the comparison, with the library as it is in src, and the peers as they are in bench/peers/node_modules.
import { fileURLToPath } from 'node:url';
import { build, type InlineConfig } from 'vite';
import { wat } from '../../scripts/wat.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const COMMON: InlineConfig = {
  configFile: false,
  logLevel: 'error',
  plugins: [wat()],
  resolve: {
    alias: [
      { find: /^webgpu-loss$/, replacement: here('../../src/index.ts') },
      { find: /^webgpu-loss\/cpu$/, replacement: here('../../src/cpu.ts') },
    ],
  },
};

/** The page, into `folder`; returns what serves it. */
export async function buildPage(folder: string): Promise<InlineConfig> {
  const config: InlineConfig = { ...COMMON, root: here('./page') };
  await build({
    ...config,
    build: { outDir: folder, emptyOutDir: true, target: 'es2023', chunkSizeWarningLimit: 1e5 },
  });
  return { ...config, appType: 'mpa', build: { outDir: folder } };
}

/** The program for Node; returns its path. Only the package webgpu, which is native, stays outside. */
export async function buildProgram(): Promise<string> {
  const folder = here('./dist');
  await build({
    ...COMMON,
    root: here('.'),
    ssr: { noExternal: true, external: ['webgpu'] },
    build: { ssr: 'program.ts', outDir: folder, emptyOutDir: true, target: 'es2023' },
  });
  return `${folder}/program.js`;
}
