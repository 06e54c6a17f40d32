// How large the package is in a user's app: gzip, of the files that a bundler which splits code makes of it, minified. `npm run size`
// measures; the tests fail above a limit, and compare the README with these.
import { build } from 'esbuild';

/** The files that an app with these imports consists of, by the module of `dist` that is loaded on demand; `app` is what it begins with. */
async function filesOf(name, imports, path = 'index', splitting = true) {
  const outdir = `node_modules/.cache/webgpu-loss/size/${name}`;
  const { metafile } = await build({
    stdin: { contents: `export ${imports} from './dist/${path}.js'`, resolveDir: '.' },
    bundle: true,
    splitting,
    minify: true,
    format: 'esm',
    external: ['node:*'],
    outdir,
    metafile: true,
    logLevel: 'error',
  });
  const loadedWith = (file, loaded = new Set()) => {
    loaded.add(file);
    for (const { kind, path } of metafile.outputs[file].imports) {
      if (kind === 'import-statement' && !loaded.has(path)) loadedWith(path, loaded);
    }
    return loaded;
  };
  const entries = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint !== undefined);
  return Object.fromEntries(
    entries.map(([file, { entryPoint }]) => [
      entryPoint.startsWith('dist/') ? entryPoint.slice('dist/'.length, -'.js'.length) : 'app',
      [...loadedWith(file)],
    ]),
  );
}

const loss = await filesOf('loss', '{ createContext, crossEntropy }');
const lossAndSoftmax = await filesOf('loss-and-softmax', '{ createContext, crossEntropy, softmax }');
const everything = await filesOf('everything', '*');
const tfjs = await filesOf('tfjs', '{ sparseCrossEntropy }', 'tfjs');
const onnxruntime = await filesOf('onnxruntime', '{ createScorer }', 'onnxruntime');
const jax = await filesOf('jax', '{ sparseCrossEntropy }', 'jax');
const whole = await filesOf('whole', '{ createContext, crossEntropy }', 'index', false);

const limited = (name, path, limit) => ({ name, path, gzip: true, limit });

/** What is loaded besides `known`, when it is needed for the first time. */
const besides = (name, modules, limit, known = ['app', 'gpu/open']) => {
  const loaded = new Set(known.flatMap((module) => everything[module]));
  const files = modules.flatMap((module) => everything[module]).filter((file) => !loaded.has(file));
  return limited(name, [...new Set(files)], limit);
};

export default [
  limited('`createContext`, `crossEntropy`', loss.app, '7.3 kB'),
  limited('`createContext`, `crossEntropy`, `softmax`', lossAndSoftmax.app, '7.5 kB'),
  limited('everything', everything.app, '12.1 kB'),
  limited('`webgpu-loss/tfjs`', tfjs.app, '9.3 kB'),
  limited('`webgpu-loss/onnxruntime`', onnxruntime.app, '8.3 kB'),
  limited('`webgpu-loss/jax`', jax.app, '9 kB'),
  besides('a context on a GPU', ['gpu/open'], '18.2 kB', ['app']),
  besides('a context on the CPU', ['cpu/backend'], '14.1 kB', ['app']),
  besides('`crossEntropy`', ['passes/crossEntropy'], '2.5 kB'),
  besides('`softmax`, `logSoftmax`', ['passes/softmax'], '0.6 kB'),
  besides('`logSumExp`', ['passes/logSumExp'], '0.37 kB'),
  besides('`softmaxGrad`, `logSoftmaxGrad`, `logSumExpGrad`', ['passes/grad'], '1.3 kB'),
  besides('`nllLoss`', ['passes/nllLoss'], '0.9 kB'),
  besides('`binaryCrossEntropy`', ['passes/binaryCrossEntropy'], '2.4 kB'),
  besides('`entropy`', ['passes/entropy'], '1.4 kB'),
  besides('`klDivergence`', ['passes/klDivergence'], '4.1 kB'),
  besides('`logitStats`', ['passes/logitStats'], '3 kB'),
  besides('`linearCrossEntropy`', ['passes/linearCrossEntropy', 'gpu/productShader'], '8.3 kB'),
  besides('probabilities as targets, `labelSmoothing`', ['plan/spreadTargets'], '2.2 kB'),
  besides('16-bit floats', ['gpu/packed'], '1.4 kB'),
  besides('rows from 1024 classes on that are no multiples of four', ['gpu/unevenRows'], '0.9 kB'),
  besides('plans', ['gpu/executable', 'ops/contextPlan'], '2.4 kB'),
  besides('`reproducible: true`', ['reproducible/index'], '10.5 kB'),
  besides('`read()` of 16-bit floats and of padded rows', ['unpacked'], '0.6 kB'),
  besides('`read()` with a signal', ['abort'], '0.25 kB'),
  besides('errors where there is no WebGPU, or a shader does not compile', ['gpu/refusals'], '0.75 kB'),
  limited(
    'all that `crossEntropy` of class indices loads on a GPU',
    [...new Set([...loss.app, ...loss['gpu/open'], ...loss['passes/crossEntropy']])],
    '27.9 kB',
  ),
  limited('`createContext`, `crossEntropy`, in one file', whole.app, '54.2 kB'),
];
