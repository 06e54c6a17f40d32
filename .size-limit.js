// How large the package is in a user's app: gzip, after esbuild has bundled and minified it as an app's bundler does. `npm run size`
// measures; the tests fail above a limit, and compare the README with these.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The modules that one of `dist` imports, when it is loaded, or on demand while it runs. */
function importsOf(file, onDemand) {
  const pattern = onDemand ? /\bimport\("(\.[^"]+)"\)/g : /^(?:import|export)\b[^"\n]*"(\.[^"]+)"/gm;
  return [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, path]) => resolve(dirname(file), path));
}

/** These modules with all that is loaded with them. */
function loadedWith(...files) {
  const loaded = new Set(files.map((file) => resolve('dist', file)));
  for (const file of loaded) for (const each of importsOf(file, false)) loaded.add(each);
  return [...loaded];
}

/** What apps load while they run, and only where a call needs it: each has a line of its own. */
const onDemand = loadedWith('index.js', 'tfjs.js', 'onnxruntime.js', 'jax.js').flatMap((file) =>
  importsOf(file, true),
);

/** What every app has loaded that computes anything on WebGPU. */
const shared = loadedWith('context.js', 'ops/crossEntropy.js');

/** What apps with these imports from `path` load for WebGPU, f32, and class indices as targets. */
const app = (name, imports, limit, path = 'dist/index.js') => ({
  name,
  path,
  import: imports,
  ignore: onDemand,
  gzip: true,
  limit,
});

/** What some calls load besides, when it is needed for the first time. */
const besides = (name, files, limit) => ({
  name,
  path: files.map((file) => `dist/${file}.js`),
  ignore: [...shared, ...onDemand].filter(
    (module) => !files.some((file) => module === resolve('dist', `${file}.js`)),
  ),
  modifyEsbuildConfig: (config) => ({ ...config, format: 'esm' }),
  gzip: true,
  limit,
});

export default [
  app('`createContext`, `crossEntropy`', '{ createContext, crossEntropy }', '24.9 kB'),
  app('`createContext`, `crossEntropy`, `softmax`', '{ createContext, crossEntropy, softmax }', '25.2 kB'),
  app('everything', '*', '31.5 kB'),
  besides('plans', ['gpu/executable', 'ops/contextPlan'], '2.4 kB'),
  besides('probabilities as targets, `labelSmoothing`', ['plan/spreadTargets'], '2.1 kB'),
  besides('`softmaxGrad`, `logSoftmaxGrad`, `logSumExpGrad`', ['plan/gradients'], '0.9 kB'),
  besides('`entropy`', ['plan/entropies'], '1 kB'),
  besides('`klDivergence`', ['plan/divergences'], '3.2 kB'),
  besides('`binaryCrossEntropy`', ['plan/binaryLosses'], '1.7 kB'),
  besides('`logitStats`', ['plan/rowStatistics'], '2.1 kB'),
  besides('`linearCrossEntropy`', ['ops/linearPasses', 'gpu/productShader'], '6.1 kB'),
  besides('16-bit floats', ['gpu/packed'], '1.4 kB'),
  besides('`read()` of 16-bit floats and of padded rows', ['unpacked'], '0.5 kB'),
  besides('`read()` with a signal', ['abort'], '0.22 kB'),
  besides('rows from 1024 classes on that are no multiples of four', ['gpu/unevenRows'], '0.9 kB'),
  besides('errors where there is no WebGPU, or a shader does not compile', ['gpu/refusals'], '0.75 kB'),
  besides('the CPU', ['cpu/backend'], '12.2 kB'),
  besides('`reproducible: true`', ['reproducible/index'], '10.5 kB'),
  app('`webgpu-loss/tfjs`', '{ sparseCrossEntropy }', '26.6 kB', 'dist/tfjs.js'),
  app('`webgpu-loss/onnxruntime`', '{ createScorer }', '24 kB', 'dist/onnxruntime.js'),
  app('`webgpu-loss/jax`', '{ sparseCrossEntropy }', '26.3 kB', 'dist/jax.js'),
];
