import type { Context, DType, Tensor } from 'webgpu-loss';
import { GpuAdam } from '../common/adam.js';
import { guarded, USAGE } from '../common/device.js';
import { type Batch, CONTEXT, type Occurrences, occurrencesOf } from './batch.js';
import { tooLargeToBind } from './memory.js';
import type { Machine, Own, Parameters, Sizes } from './model.js';
import code from './trunk.wgsl?raw';

/** As in trunk.wgsl. */
const THREADS = 64;
const SIZES_BYTES = 32;
/** Enough to fill any GPU; each invocation strides over what is left. */
const MAX_WORKGROUPS = 4096;

/** Trunk and optimizers as kernels; one step is one command buffer, with the head's plan in its middle. */
export async function machineOnGpu(
  context: Context,
  device: GPUDevice,
  sizes: Sizes,
  start: Parameters,
  own: Own,
): Promise<Machine> {
  const { classes, features, rows } = sizes;
  const excess = tooLargeToBind(sizes, device.limits);
  if (excess !== undefined) {
    const { needed, most } = excess;
    throw new Error(
      `a matrix of ${classes} tokens x ${features} features takes ${needed} bytes, and a binding of this adapter holds ${most}; ` +
        `use at most ${Math.floor(most / 4 / classes)} features, or a smaller vocabulary`,
    );
  }
  const buffer = (label: string, elements: number): GPUBuffer =>
    own(
      device.createBuffer({
        label: `language model: ${label}`,
        // Adam takes four numbers at a time; what lies past the last one stays 0.
        size: Math.ceil(elements / 4) * 16,
        usage: USAGE.storage | USAGE.copySource | USAGE.copyTarget,
      }),
    );
  const buffers = await guarded(device, 'allocating the model', () => {
    const made = {
      embeddings: buffer('embeddings', classes * features),
      positions: buffer('positions', CONTEXT * features),
      weight: buffer('weight', classes * features),
      bias: buffer('bias', classes),
      hidden: buffer('hidden', rows * features),
      gradHidden: buffer('gradient of hidden', rows * features),
      gradWeight: buffer('gradient of weight', classes * features),
      gradBias: buffer('gradient of bias', classes),
      gradPositions: buffer('gradient of positions', CONTEXT * features),
      squares: buffer('squares of the gradients of embeddings', classes),
      contexts: buffer('contexts', rows * CONTEXT),
      targets: buffer('targets', rows),
      tokens: buffer('tokens of the contexts', rows * CONTEXT),
      starts: buffer('where their places begin', rows * CONTEXT + 1),
      places: buffer('places of the tokens', rows * CONTEXT),
      loss: buffer('loss', 1),
      logits: buffer('logits of one row', classes),
    };
    for (const name of ['embeddings', 'positions', 'weight', 'bias'] as const) {
      device.queue.writeBuffer(made[name], 0, start[name]);
    }
    return made;
  });
  const tensor = (name: keyof typeof buffers, shape: readonly number[], dtype: DType = 'f32'): Tensor =>
    own(context.fromBuffer(buffers[name], shape, { dtype }));
  const tensors = {
    embeddings: tensor('embeddings', [classes, features]),
    positions: tensor('positions', [CONTEXT, features]),
    weight: tensor('weight', [classes, features]),
    bias: tensor('bias', [classes]),
    logits: tensor('logits', [classes]),
  };
  const bindings = {
    hidden: tensor('hidden', [rows, features]),
    weight: tensors.weight,
    bias: tensors.bias,
    targets: tensor('targets', [rows], 'i32'),
    loss: tensor('loss', []),
  };

  const kernels = await guarded(device, 'preparing the trunk', () => {
    const uniform = own(
      device.createBuffer({
        label: 'language model: sizes',
        size: SIZES_BYTES,
        usage: USAGE.uniform | USAGE.copyTarget,
      }),
    );
    const module = device.createShaderModule({ label: 'trunk', code });
    const kernel = (entryPoint: string, bound: Readonly<Record<number, GPUBuffer>>) => {
      const label = `language model: ${entryPoint}`;
      const pipeline = device.createComputePipeline({
        label,
        layout: 'auto',
        compute: { module, entryPoint },
      });
      const entries = Object.entries({ 0: uniform, ...bound }).map(([binding, buffer]) => ({
        binding: Number(binding),
        resource: { buffer },
      }));
      const group = device.createBindGroup({ label, layout: pipeline.getBindGroupLayout(0), entries });
      return (encoder: GPUCommandEncoder, workgroups: number): void => {
        const pass = encoder.beginComputePass({ label });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(workgroups);
        pass.end();
      };
    };
    const { embeddings, positions, contexts, hidden, gradHidden, gradPositions } = buffers;
    const { tokens, starts, places, squares, weight, bias, logits } = buffers;
    return {
      uniform,
      forward: kernel('forward', { 1: embeddings, 2: positions, 3: contexts, 4: hidden }),
      positionGradient: kernel('position_gradient', {
        1: embeddings,
        3: contexts,
        5: gradHidden,
        6: gradPositions,
      }),
      updateEmbeddings: kernel('update_embeddings', {
        ...{ 1: embeddings, 2: positions, 5: gradHidden },
        ...{ 7: tokens, 8: starts, 9: places, 10: squares },
      }),
      logits: kernel('logits_of_first_row', { 4: hidden, 11: weight, 12: bias, 13: logits }),
    };
  });
  const adamOfWeight = own(await GpuAdam.create(device, buffers.weight, buffers.gradWeight));
  const adamOfBias = own(await GpuAdam.create(device, buffers.bias, buffers.gradBias));
  const adamOfPositions = own(await GpuAdam.create(device, buffers.positions, buffers.gradPositions));

  const upload = ({ contexts, targets }: Partial<Batch>, rate = 0, found?: Occurrences): void => {
    const { queue } = device;
    const said = new ArrayBuffer(SIZES_BYTES);
    new Uint32Array(said).set([rows, features, CONTEXT, classes]);
    new Float32Array(said)[4] = rate;
    queue.writeBuffer(kernels.uniform, 0, said);
    if (contexts) queue.writeBuffer(buffers.contexts, 0, contexts);
    if (targets) queue.writeBuffer(buffers.targets, 0, targets);
    if (found === undefined) return;
    for (const name of ['tokens', 'starts', 'places'] as const)
      queue.writeBuffer(buffers[name], 0, found[name]);
  };
  const submit = (what: string, record: (encoder: GPUCommandEncoder) => void): Promise<void> =>
    guarded(device, what, () => {
      const encoder = device.createCommandEncoder({ label: `language model: ${what}` });
      record(encoder);
      device.queue.submit([encoder.finish()]);
    });

  return {
    bindings,
    gradients: {
      gradHidden: tensor('gradHidden', [rows, features]),
      gradWeight: tensor('gradWeight', [classes, features]),
      gradBias: tensor('gradBias', [classes]),
    },
    run: (batch, head, step) =>
      submit('a step', (encoder) => {
        const found = step && occurrencesOf(batch.contexts);
        upload(batch, step?.embeddingRate, found);
        kernels.forward(encoder, rows);
        head(encoder);
        if (step === undefined || found === undefined) return;
        kernels.positionGradient(encoder, Math.ceil((CONTEXT * features) / THREADS));
        kernels.updateEmbeddings(encoder, found.tokens.length);
        adamOfWeight.encode(encoder, step.adam);
        adamOfBias.encode(encoder, step.biasAdam);
        adamOfPositions.encode(encoder, step.adam);
      }),
    readLoss: async () => (await bindings.loss.read())[0]!,
    async logitsAfter(nearest) {
      await submit('the logits of a row', (encoder) => {
        upload({ contexts: nearest });
        kernels.forward(encoder, 1);
        kernels.logits(encoder, Math.min(MAX_WORKGROUPS, Math.ceil(classes / THREADS)));
      });
      return (await tensors.logits.read()) as Float32Array;
    },
    async read() {
      const { embeddings, positions, weight, bias } = tensors;
      const read = async (each: Tensor) => (await each.read()) as Float32Array<ArrayBuffer>;
      return {
        embeddings: await read(embeddings),
        positions: await read(positions),
        weight: await read(weight),
        bias: await read(bias),
      };
    },
  };
}
