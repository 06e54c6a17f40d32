import matMulKernel from '../kernels/matmul.wgsl?raw';
import { bind, compile, download, storage, uniform, uploaded } from './buffers.js';
import type { Contender } from './contender.js';
import { timeOnce, workOn } from './work.js';

/** Entry points of matmul.wgsl, and the sides of the tile of a workgroup. */
const FORMS = {
  'naive-8x8': { entryPoint: 'naive', side: 8 },
  'tiled-16x16': { entryPoint: 'tiled', side: 16 },
} as const;

/** The product of a linear layer by a plain kernel: a thread a result, or tiles in workgroup memory; f32 only. */
export function plainMatMulContender(device: GPUDevice, name: keyof typeof FORMS): Contender {
  return {
    name,
    async prepare({ op, dtype, rows, features = 0, classes }, { inputs }) {
      if (op !== 'matMul' || dtype !== 'f32') return undefined;
      const { entryPoint, side } = FORMS[name];
      const pipeline = await compile(device, matMulKernel, entryPoint, {});
      const params = uniform(device, [rows, classes, features]);
      const [hidden, weight] = ['hidden', 'weight'].map((input) =>
        uploaded(device, inputs[input] as Float32Array<ArrayBuffer>),
      ) as [GPUBuffer, GPUBuffer];
      const logits = storage(device, rows * classes * Float32Array.BYTES_PER_ELEMENT);
      const group = bind(device, pipeline, { 0: params, 1: hidden, 2: weight, 3: logits });
      const work = workOn(device, (pass) => {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(Math.ceil(classes / side), Math.ceil(rows / side));
      });
      await timeOnce(work);
      return {
        ...work,
        results: async () => ({ logits: await download(device, logits, rows * classes) }),
        destroy() {
          for (const buffer of [params, hidden, weight, logits]) buffer.destroy();
        },
      };
    },
  };
}
