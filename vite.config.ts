import { chmodSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { defineConfig, esmExternalRequirePlugin } from 'vite';
import { shortWgsl } from './scripts/shortWgsl.js';
import { wat } from './scripts/wat.js';

// The library: one ES module per source file, so that a bundler keeps only what is imported. Shaders arrive as strings (`?raw`),
// shortened. What the command line needs of other packages comes along in `dist/vendor`, with its licences.
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
        preserveModules: true,
        preserveModulesRoot: 'src',
        // npm leaves folders called node_modules out of a package.
        entryFileNames: ({ name }) => `${name.replaceAll('node_modules', 'vendor')}.js`,
      },
    },
  },
});
