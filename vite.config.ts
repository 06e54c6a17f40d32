import { chmodSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { defineConfig, esmExternalRequirePlugin } from 'vite';
import { shortWgsl } from './scripts/shortWgsl.js';
import { wat } from './scripts/wat.js';

/** The modules of `src` with these names, in a group. */
const modules = (names: string): RegExp =>
  new RegExp(`[\\\\/]src[\\\\/](${names.replaceAll('/', '[\\\\/]')})\\.ts$`);

// What an app loads together lies in one file, with what it needs: many small files would take more time to fetch, and compress worse.
// First come first served.
const TOGETHER = [
  // What every app starts with.
  { name: 'core', test: modules('context|spec|ops/(call|reduction|roles|temperature)') },
  // What contexts have in common, wherever they compute.
  { name: 'backend', test: modules('aliasing|queue|plan/wishes') },
  // What every call on a GPU needs, whatever it computes.
  { name: 'gpu', test: modules('gpu/open|passes/(census|reduction|roles|temperature)') },
  // What the command line needs of other packages; its licences lie beside it.
  { name: 'vendor/packages', test: /node_modules/ },
];

// The library: what is loaded on demand lies in files of its own, so that an app loads only what it uses. Shaders arrive as strings
// (`?raw`), shortened.
export default defineConfig({
  plugins: [
    shortWgsl(),
    wat(),
    // CommonJS packages ask for modules of Node by `require`, which modules do not have.
    esmExternalRequirePlugin({ external: [...builtinModules] }),
    // npm does this once, when it installs; a folder that is installed as a link may be built again.
    { name: 'executable', writeBundle: ({ dir = '' }) => chmodSync(join(dir, 'cli.js'), 0o755) },
  ],
  build: {
    target: 'es2022',
    minify: false,
    sourcemap: true,
    license: { fileName: 'vendor/LICENSES.md' },
    lib: {
      entry: {
        index: 'src/index.ts',
        node: 'src/node.ts',
        cpu: 'src/cpu.ts',
        cli: 'src/cli.ts',
        'cli/doctor/inspect': 'src/cli/doctor/inspect.ts',
        tfjs: 'src/tfjs.ts',
        onnxruntime: 'src/onnxruntime.ts',
        jax: 'src/jax.ts',
      },
      formats: ['es'],
    },
    rollupOptions: {
      external: [/^node:/, 'webgpu'],
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: ({ name, facadeModuleId }) => {
          const [, module] = facadeModuleId?.match(/.*[\\/]src[\\/](.*)\.ts$/) ?? [];
          return `${module ?? (name.includes('/') ? name : `parts/${name}`)}.js`;
        },
        codeSplitting: {
          groups: TOGETHER.map((group, i) => ({ ...group, priority: TOGETHER.length - i })),
        },
      },
    },
  },
});
