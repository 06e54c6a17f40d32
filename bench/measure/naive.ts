import naiveKernel from '../kernels/naive.wgsl?raw';
import { bind, compile, download, gridOf, storage, uniform, uploaded } from './buffers.js';
import { trafficOf } from './bytes.js';
import type { Contender, OpName, Results } from './contender.js';
import { rotation, setsFor, timeOnce, workOn } from './work.js';

/** How an operation runs as a plain kernel: its entry point, the results by binding, and whether a mean over the rows follows. */
interface NaiveForm {
  readonly entryPoint: string;
  readonly results: Readonly<Record<string, number>>;
  readonly mean: boolean;
}

// Bindings of naive.wgsl.
const PARAMS = 0;
const LOGITS = 1;
const TARGETS = 2;
const ELEMENTS = 3;
const ROWS = 4;
const LOSS = 5;

const FORMS: { readonly [O in OpName]?: NaiveForm } = {
  softmax: { entryPoint: 'softmax', results: { output: ELEMENTS }, mean: false },
  logSoftmax: { entryPoint: 'log_softmax', results: { output: ELEMENTS }, mean: false },
  logSumExp: { entryPoint: 'log_sum_exp', results: { output: ROWS }, mean: false },
  crossEntropy: { entryPoint: 'cross_entropy', results: { loss: LOSS }, mean: true },
  crossEntropyGrad: { entryPoint: 'cross_entropy_grad', results: { loss: LOSS, grad: ELEMENTS }, mean: true },
};

/** Bindings that an entry point uses: an automatic layout has no others. */
const BINDINGS: Readonly<Record<string, readonly number[]>> = {
  softmax: [PARAMS, LOGITS, ELEMENTS],
  log_softmax: [PARAMS, LOGITS, ELEMENTS],
  log_sum_exp: [PARAMS, LOGITS, ROWS],
  cross_entropy: [PARAMS, LOGITS, TARGETS, ROWS],
  cross_entropy_grad: [PARAMS, LOGITS, TARGETS, ELEMENTS, ROWS],
  mean: [PARAMS, ROWS, LOSS],
};

/** The plain three-pass kernel with `size` threads for each row; f32 only, and only the operations that everybody writes. */
export function naiveContender(device: GPUDevice, size: 64 | 256, rotate = 0): Contender {
  return {
    name: `naive-${size}`,
    async prepare(of, { inputs }) {
      const form = FORMS[of.op];
      if (form === undefined || of.dtype !== 'f32') return undefined;
      const { rows, classes } = of;
      const counts: Readonly<Record<number, number>> = {
        [ELEMENTS]: rows * classes,
        [ROWS]: rows,
        [LOSS]: 1,
      };
      const start = performance.now();
      const constants = { SIZE: size };
      const kernel = await compile(device, naiveKernel, form.entryPoint, constants);
      const mean = form.mean ? await compile(device, naiveKernel, 'mean', constants) : undefined;
      const [width, height] = gridOf(rows);
      const params = uniform(device, [rows, classes, width]);
      const given = [inputs['logits'], inputs['targets']] as const;
      const sets = rotation(setsFor(trafficOf(of).bytes, rotate), () => {
        const buffers: Record<number, GPUBuffer> = { [PARAMS]: params };
        const used = new Set([
          ...(BINDINGS[form.entryPoint] ?? []),
          ...(mean ? (BINDINGS['mean'] ?? []) : []),
        ]);
        for (const [binding, input] of [
          [LOGITS, given[0]],
          [TARGETS, given[1]],
        ] as const) {
          if (used.has(binding) && input) buffers[binding] = uploaded(device, input);
        }
        for (const [binding, count] of Object.entries(counts)) {
          if (used.has(Number(binding))) buffers[Number(binding)] = storage(device, count * 4);
        }
        const groupOf = (pipeline: GPUComputePipeline, entryPoint: string): GPUBindGroup =>
          bind(
            device,
            pipeline,
            Object.fromEntries(
              (BINDINGS[entryPoint] ?? []).map((binding) => [binding, buffers[binding] as GPUBuffer]),
            ),
          );
        return {
          buffers,
          group: groupOf(kernel, form.entryPoint),
          meanGroup: mean && groupOf(mean, 'mean'),
        };
      });
      const work = workOn(device, (pass) => {
        const { group, meanGroup } = sets.next();
        pass.setPipeline(kernel);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(width, height);
        if (mean === undefined) return;
        pass.setPipeline(mean);
        pass.setBindGroup(0, meanGroup);
        pass.dispatchWorkgroups(1);
      });
      await timeOnce(work);
      return {
        ...work,
        firstCallMs: performance.now() - start,
        async results(): Promise<Results> {
          const { buffers } = sets.all[0] as (typeof sets.all)[number];
          const read = Object.entries(form.results).map(
            async ([name, binding]) =>
              [
                name,
                await download(device, buffers[binding] as GPUBuffer, counts[binding] as number),
              ] as const,
          );
          return Object.fromEntries(await Promise.all(read));
        },
        destroy() {
          for (const { buffers } of sets.all) for (const buffer of Object.values(buffers)) buffer.destroy();
        },
      };
    },
  };
}
