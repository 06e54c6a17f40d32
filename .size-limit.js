// How large the package is in a user's app: gzip, after esbuild has bundled and minified it as an app's bundler does. `npm run size`
// measures; the tests fail above a limit, and compare the README with these.

/** Modules by their names in `dist`. */
const modules = (...names) => names.map((name) => `*/${name}.js`);

/** Loaded while the app runs, and only where a call needs it; measured by itself. */
const onDemand = modules(
  'executable',
  'packed',
  'spreadTargets',
  'unevenRows',
  'productShader',
  'cpu/backend',
  'reproducible/index',
);

/** What every app loads that computes anything on WebGPU. */
const shared = modules(
  'aliasing',
  'dtype',
  'errors',
  'half',
  'info',
  'shape',
  'spec',
  'work',
  'plan/plan',
  'plan/variant',
  'plan/epilogue/census',
  'ops/crossEntropySpec',
  'binding',
  'encoding',
  'gpu/census',
);

/** An app with these imports from `webgpu-loss`: all that it loads for WebGPU, f32, and class indices as targets. */
const app = (name, imports, limit) => ({
  name,
  path: 'dist/index.js',
  import: imports,
  ignore: onDemand,
  gzip: true,
  limit,
});

/** An app that imports an adapter to a framework, without that framework. */
const adapter = (name, imports, limit) => ({
  name: `\`webgpu-loss/${name}\``,
  path: `dist/${name}.js`,
  import: imports,
  ignore: onDemand,
  gzip: true,
  limit,
});

/** What some calls load besides, when it is needed for the first time. */
const besides = (name, path, limit) => ({
  name,
  path,
  // What 16-bit floats need has its own line, also where a module loads it in turn.
  ignore: [...shared, ...modules('packed')].filter((module) => !path.endsWith(module.slice(1))),
  modifyEsbuildConfig: (config) => ({ ...config, format: 'esm' }),
  gzip: true,
  limit,
});

export default [
  app('`createContext`, `crossEntropy`', '{ createContext, crossEntropy }', '25.3 kB'),
  app('`createContext`, `crossEntropy`, `softmax`', '{ createContext, crossEntropy, softmax }', '25.5 kB'),
  app('everything', '*', '42.2 kB'),
  besides('probabilities as targets, `labelSmoothing`', 'dist/plan/spreadTargets.js', '2.1 kB'),
  besides('16-bit floats', 'dist/gpu/packed.js', '1.3 kB'),
  besides('elements of rows that are long and no whole groups of four', 'dist/gpu/unevenRows.js', '1.2 kB'),
  besides('plans', 'dist/gpu/executable.js', '1.2 kB'),
  besides('`linearCrossEntropy`: the shaders of its products', 'dist/gpu/productShader.js', '3 kB'),
  besides('the CPU', 'dist/cpu/backend.js', '12 kB'),
  besides('`reproducible: true`', 'dist/reproducible/index.js', '10.5 kB'),
  adapter('tfjs', '{ sparseCrossEntropy }', '27.7 kB'),
  adapter('onnxruntime', '{ createScorer }', '26.1 kB'),
  adapter('jax', '{ sparseCrossEntropy }', '27.4 kB'),
];
