// What limits a kernel: the reads, the exps and the barriers alone. The copy of the same bytes is in bench/measure.
import type { PassSummary } from 'webgpu-loss';
import { bind, compile, gridOf, storage, uploaded } from '../../measure/buffers.js';
import type { Contender, Prepared } from '../../measure/contender.js';
import type { CopyForm } from '../../measure/copy.js';
import { tensorsOf } from '../../measure/tensors.js';
import { COPY_DST, UNIFORM } from '../../measure/usage.js';
import { timeOnce, workOn } from '../../measure/work.js';
import limitsKernel from '../kernels/limits.wgsl?raw';
import { meetingsOf } from './meetings.js';

/** Bytes that one thread loads at a time. */
const UNIT = 16;
const NEVER = 1e30;

/** Reads the logits and does nothing with them. */
export function readsContender(device: GPUDevice, form: CopyForm): Contender {
  return {
    name: 'reads',
    prepare: (_, { inputs }) => prepareStream(device, form, 'reads', inputs['logits'] as Floats),
  };
}

/** Reads the logits, takes one exp of each, and stores as many elements as the op does. */
export function expsContender(device: GPUDevice, form: CopyForm): Contender {
  return {
    name: 'exps',
    prepare(of, { inputs }) {
      const writes = tensorsOf(of.op).some(({ use, per }) => use === 'out' && per === 'element');
      const entryPoint = writes ? 'exps_written' : 'exps';
      return prepareStream(device, form, entryPoint, inputs['logits'] as Floats);
    },
  };
}

type Floats = Float32Array<ArrayBuffer>;

async function prepareStream(
  device: GPUDevice,
  { size, each }: CopyForm,
  entryPoint: 'reads' | 'exps' | 'exps_written',
  logits: Floats,
): Promise<Prepared> {
  const count = Math.ceil(logits.byteLength / UNIT);
  const [width, height] = gridOf(Math.ceil(count / (size * each)));
  const pipeline = await compile(device, limitsKernel, entryPoint, { SIZE: size, EACH: each });
  const params = paramsOf(device, count, width);
  const source = uploaded(device, logits);
  const destination = storage(device, count * UNIT);
  const group = bind(device, pipeline, { 0: params, 1: source, 2: destination });
  const work = workOn(device, (pass) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(width, height);
  });
  await timeOnce(work);
  return {
    ...work,
    results: async () => undefined,
    destroy() {
      for (const buffer of [params, source, destination]) buffer.destroy();
    },
  };
}

/** The workgroups of `passes`, which wait at as many barriers as those do, and do nothing else. */
export function barriersContender(device: GPUDevice, passes: readonly PassSummary[]): Contender {
  return {
    name: 'barriers',
    async prepare() {
      const params = paramsOf(device, 0, 0);
      const destination = storage(device, UNIT);
      const dispatches = await Promise.all(
        passes.map(async ({ variant, grids }) => {
          const { size, barriers } = meetingsOf(variant);
          const pipeline = await compile(device, limitsKernel, 'barriers', {
            SIZE: size,
            BARRIERS: barriers,
          });
          return { pipeline, grids, group: bind(device, pipeline, { 0: params, 2: destination }) };
        }),
      );
      const work = workOn(device, (pass) => {
        for (const { pipeline, grids, group } of dispatches) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          for (const [width, height] of grids) pass.dispatchWorkgroups(width, height);
        }
      });
      await timeOnce(work);
      return {
        ...work,
        results: async () => undefined,
        destroy() {
          params.destroy();
          destination.destroy();
        },
      };
    },
  };
}

function paramsOf(device: GPUDevice, count: number, width: number): GPUBuffer {
  const words = new Uint32Array(4);
  words.set([count, width]);
  new Float32Array(words.buffer)[2] = NEVER;
  const buffer = device.createBuffer({ size: words.byteLength, usage: UNIFORM | COPY_DST });
  device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}
