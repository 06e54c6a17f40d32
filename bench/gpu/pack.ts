// Packs the benches for a Linux x64 machine that has a GPU driver and nothing else: `npm run pack:gpu -- [FOLDER]`.
//
// The folder gets run.sh and one archive: Node, Dawn for Node, the libraries of a Vulkan loader, the benches and the checks bundled
// into a file each, the golden data and the PyTorch baseline. Nothing of it is installed there, and nothing is fetched.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createGzip } from 'node:zlib';
import { pack as packTar } from 'tar-stream';
import { build } from 'vite';
import { shortWgsl } from '../../scripts/shortWgsl.js';
import { wat } from '../../scripts/wat.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Commands of the pack, and what they are bundled from. */
const ENTRIES = {
  conformance: 'bench/gpu/conformance.ts',
  bench: 'bench/main.ts',
  tune: 'bench/tune/main.ts',
};

/** What a driver for Vulkan may need and a machine without a display may lack, as packages of Debian. */
const LIBRARIES = [
  'libvulkan1',
  ...['libegl1', 'libglvnd0', 'libgl1', 'libglx0'],
  ...['libx11-6', 'libxext6', 'libxcb1', 'libxau6', 'libxdmcp6', 'libbsd0', 'libmd0'],
];

/** Room for it has to be found on whatever carries it to the other machine. */
const MOST_BYTES = 56 * 2 ** 20;

async function bundle(folder: string): Promise<void> {
  const source = (name: string): string => join(root, 'src', `${name}.ts`);
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    // The shaders that the package has are the ones that are measured.
    plugins: [shortWgsl(), wat()],
    resolve: {
      alias: [
        { find: /^webgpu-loss$/, replacement: source('index') },
        { find: /^webgpu-loss\/(cpu|node)$/, replacement: source('$1') },
      ],
    },
    // node_modules stay here; Dawn is native and travels as it is.
    ssr: { target: 'node', noExternal: true, external: ['webgpu'] },
    build: {
      ssr: true,
      target: 'node20',
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      rollupOptions: {
        input: Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, join(root, file)])),
        output: { entryFileNames: '[name].mjs', chunkFileNames: 'chunks/[name]-[hash].mjs' },
      },
    },
  });
}

function copyRuntime(folder: string): void {
  cpSync(process.execPath, join(folder, 'node'));
  const dawn = join(root, 'node_modules', 'webgpu');
  for (const part of ['package.json', 'index.js', join('dist', 'linux-x64')]) {
    cpSync(join(dawn, part), join(folder, 'node_modules', 'webgpu', part), { recursive: true });
  }
}

/** The shared libraries out of Debian's packages; run.sh uses those that the machine lacks. */
function copyLibraries(folder: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'webgpu-loss-libraries-'));
  try {
    execFileSync('apt-get', ['download', ...LIBRARIES], {
      cwd: scratch,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    for (const file of readdirSync(scratch)) {
      execFileSync('dpkg-deb', ['--extract', file, 'unpacked'], { cwd: scratch });
    }
    const libraries = join(scratch, 'unpacked', 'usr', 'lib', 'x86_64-linux-gnu');
    for (const name of readdirSync(libraries)) {
      // By the names that programs load them by: libvulkan.so.1, not libvulkan.so.1.3.239.
      if (/\.so\.\d+$/.test(name))
        cpSync(join(libraries, name), join(folder, 'lib', name), { dereference: true });
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** One archive of a folder, compressed in a form that every machine can unpack. */
async function archive(folder: string, file: string): Promise<void> {
  const tar = packTar();
  const writing = pipeline(tar, createGzip({ level: 9 }), createWriteStream(file));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    tar.entry({ name: path.slice(folder.length + 1), mode: statSync(path).mode }, content);
  }
  tar.finalize();
  await writing;
}

const [out = join(root, '.gpu'), ...others] = process.argv.slice(2);
if (others.length > 0 || out.startsWith('-')) throw new Error('Usage: npm run pack:gpu -- [FOLDER]');
if (process.platform !== 'linux' || process.arch !== 'x64') {
  throw new Error(
    `the Node of this machine (${process.platform} ${process.arch}) is what is packed, and must be for Linux on x64`,
  );
}
const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-gpu-'));
try {
  await bundle(folder);
  copyRuntime(folder);
  copyLibraries(folder);
  cpSync(join(root, 'bench', 'gpu', 'torch_baseline.py'), join(folder, 'torch_baseline.py'));
  for (const name of ['data.bin', 'manifest.json']) {
    cpSync(join(root, 'test', 'golden', name), join(folder, 'golden', name));
  }
  const revision = execFileSync('git', ['describe', '--always', '--dirty=+', '--exclude=*'], { cwd: root });
  writeFileSync(join(folder, 'revision'), revision);
  mkdirSync(out, { recursive: true });
  const file = join(out, 'gpu-bench.tar.gz');
  await archive(folder, file);
  cpSync(join(root, 'bench', 'gpu', 'run.sh'), join(out, 'run.sh'));
  const { size } = statSync(file);
  if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MOST_BYTES}`);
  console.log(`${basename(file)}: ${(size / 2 ** 20).toFixed(1)} MiB. There: bash run.sh --help`);
} finally {
  rmSync(folder, { recursive: true });
}
