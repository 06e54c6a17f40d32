// The product of this library alone, which it does not export: the pass that its plans of linearCrossEntropy begin with.
import type { Context } from 'webgpu-loss';
import { bindPlan } from '../../../src/gpu/binding.js';
import { encodeAll } from '../../../src/gpu/encoding.js';
import { Pipelines } from '../../../src/gpu/pipelines.js';
import { denseRole, outputRole } from '../../../src/ops/roles.js';
import { PassBuilder } from '../../../src/plan/pass.js';
import { summarize } from '../../../src/plan/plan.js';
import { type Lines, productPass } from '../../../src/plan/product.js';
import type { Roles } from '../../../src/spec.js';
import { CLEAN } from '../../../src/work.js';
import { download, storage, uploaded } from '../../measure/buffers.js';
import type { Case, Contender } from '../../measure/contender.js';
import { timeOnce, workOn } from '../../measure/work.js';

const OP = 'linearCrossEntropy';

/** hidden · weightᵀ by one pass of this library's own tiles, on a context of WebGPU; f32. */
export function ourProductContender(context: Context): Contender {
  return {
    name: 'ours',
    async prepare(of, { inputs }) {
      if (of.op !== 'matMul' || of.dtype !== 'f32') return undefined;
      const device = context.device as GPUDevice;
      const pass = passOf(of, context);
      const pipeline = await new Pipelines(device, context.info).get(pass.variant);
      const { rows, classes } = of;
      const buffers = {
        hidden: uploaded(device, inputs['hidden'] as Float32Array<ArrayBuffer>),
        weight: uploaded(device, inputs['weight'] as Float32Array<ArrayBuffer>),
        logits: storage(device, rows * classes * Float32Array.BYTES_PER_ELEMENT),
      };
      const operands = Object.fromEntries(
        Object.entries(buffers).map(([name, buffer]) => [
          name,
          { storage: { buffer, byteOffset: 0, owned: true }, work: CLEAN },
        ]),
      );
      const plan = { spec: { op: OP }, passes: [pass] } as const;
      const bound = bindPlan(device, context.info, plan, [pipeline], new Map(), operands);
      const work = workOn(device, (encoder) => encodeAll(encoder, bound.dispatches));
      await timeOnce(work);
      return {
        ...work,
        passes: summarize([pass]),
        results: async () => ({ logits: await download(device, buffers.logits, rows * classes) }),
        destroy() {
          for (const buffer of [...Object.values(buffers), bound.params]) buffer.destroy();
        },
      };
    },
  };
}

function passOf({ rows, features = 0, classes }: Case, { info }: Context): ReturnType<typeof productPass> {
  const roles: Roles = {
    hidden: denseRole([rows, features]),
    weight: denseRole([classes, features]),
    logits: outputRole([rows, classes]),
  };
  const matrix = (from: string, count: number, length: number): Lines => ({
    from,
    scratch: false,
    dtype: 'f32',
    start: 0,
    stride: length,
    count,
    length,
  });
  return productPass(new PassBuilder(OP, roles, info, {}), {
    name: 'logits',
    rows,
    columns: classes,
    depth: features,
    a: matrix('hidden', rows, features),
    aByRows: true,
    b: matrix('weight', classes, features),
    bByRows: false,
    c: matrix('logits', rows, classes),
  });
}
