// One case, all contenders in turn, as in the benches: WebGPU, the CPU, and a copy of the same bytes by each.
import * as library from 'webgpu-loss';
import { type Context, createContext } from 'webgpu-loss';
import { type BenchOptions, benchCase, type Outcome } from '../../bench/measure/benchCase.js';
import { trafficOf } from '../../bench/measure/bytes.js';
import { nameOf } from '../../bench/measure/cases.js';
import type { Case, Contender } from '../../bench/measure/contender.js';
import { copyContender, cpuCopyContender } from '../../bench/measure/copy.js';
import { dataOf } from '../../bench/measure/data.js';
import { oursContender } from '../../bench/measure/ours.js';
import type { Row } from '../../bench/report/row.js';
import { CopyForms, rowOf } from '../../bench/run/bench.js';
import { rotationOf } from '../../bench/run/effort.js';
import { version } from '../../package.json';
import { type LastingContext, nameOfAdapter } from '../backend.js';
import { CPU, CPU_COPY, GPU, GPU_COPY } from './contenders.js';
import { legible } from './legible.js';

// Clocks of browsers are as coarse as a millisecond: a sample lasts long beside that, however many executions it takes.
const EFFORT: BenchOptions = {
  rounds: 7,
  sampleMs: 20,
  mostBatched: 2 ** 20,
  budgetMs: 2000,
  patienceMs: 2500,
  clock: 'wall',
};

const SEED = 1;

// A page has to do with less memory than a bench. What stays in a larger cache than this is found there, by the copy as well.
const MOST_ROTATED = 2 ** 26;
const MOST_COPIED_TO_CHOOSE = 2 ** 25;

const copies = new CopyForms();

/**
 * Checks and times a case; again if the device is lost meanwhile.
 *
 * @param progress told how much of the case is done, from 0 to 1, and what is done next
 */
export function measureCase(
  of: Case,
  lasting: LastingContext,
  progress: (part: number, doing: string) => void,
): Promise<readonly Row[]> {
  return lasting.use(async (context) => {
    const cpu = context.backend === 'cpu' ? context : await createContext({ backend: 'cpu' });
    try {
      progress(0, `${nameOf(of)}: making the data`);
      const data = dataOf(of, SEED);
      const contenders = await contendersOf(of, context, cpu);
      const steps = contenders.length + 1;
      const told = contenders.map(
        ({ name, prepare }, k): Contender => ({
          name,
          prepare(...given) {
            progress((k + 1) / (steps + 1), `${nameOf(of)}: checking ${name}`);
            return prepare(...given);
          },
        }),
      );
      const outcomes = await benchCase(of, data, told, EFFORT);
      progress(1, `${nameOf(of)}: done`);
      return legible(outcomes).map((outcome) => rowFor(of, outcome, context, cpu));
    } finally {
      if (cpu !== context) cpu.destroy();
      await proveAlive(context);
    }
  });
}

async function contendersOf(of: Case, context: Context, cpu: Context): Promise<readonly Contender[]> {
  const { device, info } = context;
  const onCpu = [
    oursContender({ library, context: cpu, name: CPU }),
    { ...cpuCopyContender(), name: CPU_COPY },
  ];
  if (device === undefined) return onCpu;
  const rotate = Math.min(MOST_ROTATED, rotationOf(info));
  const form = await copies.for(device, Math.min(MOST_COPIED_TO_CHOOSE, trafficOf(of).bytes));
  return [
    oursContender({ library, context, name: GPU, rotate }),
    { ...copyContender(device, form, rotate), name: GPU_COPY },
    ...onCpu,
  ];
}

/**
 * Rejects with `DeviceLostError` if the device is gone: a lost device says of all work that it is done, at once, and a time taken of
 * that would be wrong.
 */
async function proveAlive(context: Context): Promise<void> {
  const proof = context.tensor(new Float32Array(1), [1]);
  try {
    await proof.read();
  } finally {
    proof.destroy();
  }
}

function rowFor(of: Case, outcome: Outcome, context: Context, cpu: Context): Row {
  const isCpu = outcome.contender === CPU || outcome.contender === CPU_COPY;
  const { info } = isCpu ? cpu : context;
  return rowOf(of, outcome, {
    adapter: isCpu ? 'cpu' : nameOfAdapter(info),
    seed: SEED,
    quick: true,
    policies: [],
    versions: { 'webgpu-loss': version, browser: navigator.userAgent },
    info,
  });
}
