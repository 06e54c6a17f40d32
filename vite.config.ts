import { defineConfig } from 'vite';
import { shortWgsl } from './scripts/shortWgsl.js';

// The library: one ES module per source file, so that a bundler keeps only what is imported. Shaders arrive as strings (`?raw`),
// shortened.
export default defineConfig({
  plugins: [shortWgsl()],
  build: {
    target: 'es2022',
    minify: false,
    sourcemap: true,
    lib: {
      entry: {
        index: 'src/index.ts',
        node: 'src/node.ts',
        cpu: 'src/cpu.ts',
        tfjs: 'src/tfjs.ts',
        onnxruntime: 'src/onnxruntime.ts',
        jax: 'src/jax.ts',
      },
      formats: ['es'],
    },
    rollupOptions: {
      external: [/^node:/, 'webgpu'],
      output: { preserveModules: true, preserveModulesRoot: 'src', entryFileNames: '[name].js' },
    },
  },
});
