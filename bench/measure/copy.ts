import copyKernel from '../kernels/copy.wgsl?raw';
import { bind, compile, gridOf, storage, uniform } from './buffers.js';
import { trafficOf } from './bytes.js';
import type { Contender, Prepared } from './contender.js';
import { clockFor, measure } from './measure.js';
import { quantilesOf } from './quantiles.js';
import { rotation, setsFor, timeOnce, workOn } from './work.js';

/** Bytes that one thread copies at a time. */
const UNIT = 16;

/** A form of the copy kernel: threads in a workgroup, loads of 16 bytes a thread. */
export interface CopyForm {
  readonly size: number;
  readonly each: number;
}

const FORMS: readonly CopyForm[] = [16, 64, 256].flatMap((size) =>
  [1, 4, 16].map((each) => ({ size, each })),
);

/** A copy that moves `bytes` in all: one half read, the other half written. */
async function prepareCopy(
  device: GPUDevice,
  { size, each }: CopyForm,
  bytes: number,
  rotate: number,
): Promise<Prepared> {
  const start = performance.now();
  const half = Math.max(UNIT, Math.ceil(bytes / 2 / UNIT) * UNIT);
  const count = half / UNIT;
  const [width, height] = gridOf(Math.ceil(count / (size * each)));
  const pipeline = await compile(device, copyKernel, 'copy', { SIZE: size, EACH: each });
  const params = uniform(device, [count, width]);
  const sets = rotation(setsFor(bytes, rotate), () => {
    const [source, destination] = [storage(device, half), storage(device, half)];
    return { source, destination, group: bind(device, pipeline, { 0: params, 1: source, 2: destination }) };
  });
  const work = workOn(device, (pass) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, sets.next().group);
    pass.dispatchWorkgroups(width, height);
  });
  await timeOnce(work);
  return {
    ...work,
    firstCallMs: performance.now() - start,
    results: async () => undefined,
    destroy() {
      params.destroy();
      for (const { source, destination } of sets.all) {
        source.destroy();
        destination.destroy();
      }
    },
  };
}

/** The form of the copy kernel that is fastest on a device for about so many bytes: the yardstick must not be short. */
export async function fastestCopy(device: GPUDevice, bytes: number): Promise<CopyForm> {
  const copies = await Promise.all(FORMS.map((form) => prepareCopy(device, form, bytes, 0)));
  try {
    const clock = clockFor(copies);
    const measured = await measure(copies, { rounds: 5, sampleMs: 2, budgetMs: 1000, clock });
    const medians = measured.map(({ ms }) => quantilesOf(ms).median);
    return FORMS[medians.indexOf(Math.min(...medians))] as CopyForm;
  } finally {
    for (const copy of copies) copy.destroy();
  }
}

/** Copies as many bytes as a case has to move. */
export function copyContender(device: GPUDevice, form: CopyForm, rotate = 0): Contender {
  return {
    name: 'copy',
    prepare: (of) => prepareCopy(device, form, trafficOf(of).bytes, rotate),
  };
}

/** The same on the CPU: from one array into another. */
export function cpuCopyContender(): Contender {
  return {
    name: 'copy',
    async prepare(of) {
      const half = Math.ceil(trafficOf(of).bytes / 2);
      const source = new Uint8Array(half).fill(1);
      const destination = new Uint8Array(half);
      return {
        submit(times) {
          for (let k = 0; k < times; k++) destination.set(source);
        },
        done: async () => undefined,
        results: async () => undefined,
        destroy: () => undefined,
      };
    },
  };
}
