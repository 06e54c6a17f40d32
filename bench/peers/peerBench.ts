// The comparison itself, which runs in a page and in Node alike: one case at a time, all contenders in turn.

import type { Context } from 'webgpu-loss';
import * as library from 'webgpu-loss';
import { type BenchOptions, benchCase } from '../measure/benchCase.js';
import { trafficOf } from '../measure/bytes.js';
import { type Case, type Contender, LeftOut } from '../measure/contender.js';
import { type CopyForm, copyContender } from '../measure/copy.js';
import { dataOf } from '../measure/data.js';
import { plainMatMulContender } from '../measure/matMul.js';
import { naiveContender } from '../measure/naive.js';
import { oursContender, planOf } from '../measure/ours.js';
import { chunkedContender, materialisedContender } from '../measure/scratch.js';
import { isLinear } from '../measure/tensors.js';
import { timeOnce } from '../measure/work.js';
import type { Row } from '../report/row.js';
import { CopyForms, rowOf } from '../run/bench.js';
import { barriersContender, expsContender, readsContender } from './contenders/limits.js';
import { ourProductContender } from './contenders/product.js';
import type { PeerName } from './peerNames.js';
import { roleOf } from './roles.js';

export interface PeerBenchOptions {
  /** What the place is called in the rows: `chromium`, `lavapipe`. */
  readonly where: string;
  readonly peers: readonly PeerName[];
  readonly seed: number;
  readonly quick: boolean;
  readonly versions: Readonly<Record<string, string>>;
}

/** What the place has. */
export interface Surroundings {
  readonly gpu: GPU;
  /** The WebAssembly of ONNX Runtime: its address, or its bytes. */
  readonly wasm: string | Uint8Array<ArrayBuffer>;
}

export interface PeerBench {
  measure(of: Case): Promise<readonly Row[]>;
}

const EFFORT: BenchOptions = { rounds: 21, sampleMs: 20, budgetMs: 6000, clock: 'wall' };
const QUICK: BenchOptions = { rounds: 5, sampleMs: 10, budgetMs: 1000, clock: 'wall' };

// Longer calls than this would take up all the time that there is.
const PATIENCE_MS = 4000;

// The bounds are what a careful kernel promises. Others may lose a digit; what has lost two is wrong.
const SLACK = 100;

/** Peers look for WebGPU at `navigator.gpu` when they are loaded, which is why it must be there before. */
const OPENERS: {
  readonly [P in PeerName]: (surroundings: Surroundings) => Promise<readonly Contender[]>;
} = {
  tfjs: async () => (await import('./contenders/tfjs.js')).openTfjs(),
  onnxruntime: async ({ wasm }) => (await import('./contenders/onnxruntime.js')).openOnnxRuntime(wasm),
  'jax-js': async () => (await import('./contenders/jax.js')).openJax(),
};

export async function openPeerBench(
  { where, peers, seed, quick, versions }: PeerBenchOptions,
  surroundings: Surroundings,
): Promise<PeerBench> {
  const opened: Contender[] = [];
  for (const name of peers) opened.push(...(await OPENERS[name](surroundings)).map(patient));
  const effort: BenchOptions = {
    ...(quick ? QUICK : EFFORT),
    slackOf: (contender) => (roleOf(contender) === 'ours' ? 1 : SLACK),
  };
  const copies = new CopyForms();
  return {
    async measure(of) {
      const context = await library.createContext({ backend: 'webgpu', gpu: surroundings.gpu });
      try {
        const device = context.device as GPUDevice;
        const form = await copies.for(device, trafficOf(of).bytes);
        const contenders = [
          ...ownContenders(of, context),
          ...opened,
          copyContender(device, form),
          ...(isLinear(of.op) ? [] : await rowLimits(of, context, form)),
        ];
        const outcomes = await benchCase(of, dataOf(of, seed), contenders, effort);
        const known = { adapter: where, seed, quick, policies: [], versions, info: context.info };
        return outcomes.map((outcome) => rowOf(of, outcome, known));
      } finally {
        context.destroy();
      }
    },
  };
}

/** This library, and the kernels that one writes first. */
function ownContenders({ op }: Case, context: Context): readonly Contender[] {
  const device = context.device as GPUDevice;
  if (op === 'matMul') {
    return [
      ourProductContender(context),
      patient(plainMatMulContender(device, 'naive-8x8')),
      patient(plainMatMulContender(device, 'tiled-16x16')),
    ];
  }
  const ours = { library, context };
  return [
    oursContender(ours),
    chunkedContender(ours),
    materialisedContender(ours),
    patient(naiveContender(device, 64)),
    patient(naiveContender(device, 256)),
  ];
}

/** The parts of what is done with logits, each alone. */
async function rowLimits(of: Case, context: Context, form: CopyForm): Promise<readonly Contender[]> {
  const device = context.device as GPUDevice;
  const plan = await planOf(library, context, of);
  plan.destroy();
  return [readsContender(device, form), expsContender(device, form), barriersContender(device, plan.passes)];
}

/** The contender, but that it declines what takes too long. */
function patient({ name, prepare }: Contender): Contender {
  return {
    name,
    async prepare(of, data) {
      const prepared = await prepare(of, data);
      if (prepared === undefined) return undefined;
      // Peers keep their first call to themselves: what it takes to compile does not count.
      const ms = prepared.firstCallMs ?? (await timeOnce(prepared));
      if (ms <= PATIENCE_MS) return prepared;
      prepared.destroy();
      throw new LeftOut(`one call takes ${(ms / 1000).toFixed(1)} s`);
    },
  };
}
