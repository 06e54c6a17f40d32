// Plain WebGPU for what is compared with the library.

import { COPY_DST, COPY_SRC, MAP_READ, MODE_READ, STORAGE, UNIFORM } from './usage.js';

/** Dimensions of a grid of `count` workgroups: no dimension may be longer than 65,535. */
export function gridOf(count: number): readonly [width: number, height: number] {
  const height = Math.ceil(count / 65535);
  return [Math.ceil(count / height), height];
}

export function uniform(device: GPUDevice, values: readonly number[]): GPUBuffer {
  return filled(device, UNIFORM, Uint32Array.from(values));
}

export function storage(device: GPUDevice, bytes: number): GPUBuffer {
  return device.createBuffer({
    size: Math.max(16, Math.ceil(bytes / 16) * 16),
    usage: STORAGE | COPY_SRC | COPY_DST,
  });
}

export function uploaded(
  device: GPUDevice,
  values: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>,
): GPUBuffer {
  const buffer = storage(device, values.byteLength);
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

function filled(device: GPUDevice, usage: number, values: Uint32Array<ArrayBuffer>): GPUBuffer {
  const buffer = device.createBuffer({
    size: Math.max(16, values.byteLength),
    usage: usage | COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, values);
  return buffer;
}

/** The first `count` floats of a buffer. */
export async function download(device: GPUDevice, buffer: GPUBuffer, count: number): Promise<Float32Array> {
  const bytes = count * Float32Array.BYTES_PER_ELEMENT;
  const staging = device.createBuffer({
    size: bytes,
    usage: COPY_DST | MAP_READ,
  });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MODE_READ);
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    staging.destroy();
  }
}

/** A compute pipeline; rejects with what the compiler says of the shader. */
export async function compile(
  device: GPUDevice,
  code: string,
  entryPoint: string,
  constants: Record<string, number>,
): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ label: entryPoint, code });
  return device.createComputePipelineAsync({
    label: entryPoint,
    layout: 'auto',
    compute: { module, entryPoint, constants },
  });
}

/** Buffers by the number of their binding. */
export function bind(
  device: GPUDevice,
  pipeline: GPUComputePipeline,
  buffers: Readonly<Record<number, GPUBuffer>>,
): GPUBindGroup {
  return device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: Object.entries(buffers).map(([binding, buffer]) => ({
      binding: Number(binding),
      resource: { buffer },
    })),
  });
}
