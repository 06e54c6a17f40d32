// A device between the library and the real one, to watch what it is asked and to make it fail; and buffers of the caller's own.

import type { Context } from '../../src/index.js';
import type { Env } from './check.js';

// GPUBufferUsage and GPUMapMode; the globals are missing in Node.
export const MAP_READ = 0x1;
export const COPY_SRC = 0x4;
export const COPY_DST = 0x8;
export const STORAGE = 0x80;

/** For members of an object, what stands in for each, made from the real one. */
export type Wraps<T> = { readonly [K in keyof T]?: (own: T[K]) => T[K] };

/** `target` with some members wrapped; native methods still get the native object that they insist on. */
export function intercept<T extends object>(target: T, wraps: Wraps<T>): T {
  return new Proxy(target, {
    get(native, key) {
      const value: unknown = Reflect.get(native, key, native);
      const own = typeof value === 'function' ? value.bind(native) : value;
      const wrap = Object.hasOwn(wraps, key)
        ? (wraps[key as keyof T] as (own: unknown) => unknown)
        : undefined;
      return wrap === undefined ? own : wrap(own);
    },
  });
}

/** Another context of the target, on the same device behind `wraps`; on the CPU, just another context. */
export function contextOn(env: Env, wraps: Wraps<GPUDevice>): Promise<Context> {
  const { device } = env.ctx;
  if (device === undefined) return env.createContext({});
  // Whoever opened the device listens to it already.
  const deaf = { addEventListener: () => () => undefined };
  return env.createContext({ device: intercept(device, { ...deaf, ...wraps }) });
}

/** How often the device and its queue were asked for each thing. */
export class Calls {
  private readonly counts = new Map<string, number>();
  /** Sizes of the buffers created, in bytes, by label. */
  readonly buffers: { readonly label: string; readonly size: number; readonly usage: number }[] = [];

  note(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  /** Objects created, whatever they are. */
  get created(): number {
    return [...this.counts].reduce((sum, [name, count]) => sum + (name.startsWith('create') ? count : 0), 0);
  }

  toString(): string {
    return [...this.counts].map(([name, count]) => `${name} ×${count}`).join(', ') || 'nothing';
  }

  clear(): void {
    this.counts.clear();
    this.buffers.length = 0;
  }
}

/** Wraps that count into `calls`. */
export function counting(calls: Calls): Wraps<GPUDevice> {
  const count =
    <F>(name: string) =>
    (own: F): F =>
      ((...args: unknown[]) => {
        calls.note(name);
        return (own as (...args: unknown[]) => unknown)(...args);
      }) as F;
  return {
    createBuffer: (own) => (descriptor) => {
      calls.note('createBuffer');
      const { label = '', size, usage } = descriptor;
      calls.buffers.push({ label, size, usage });
      return own(descriptor);
    },
    createBindGroup: count('createBindGroup'),
    createBindGroupLayout: count('createBindGroupLayout'),
    createPipelineLayout: count('createPipelineLayout'),
    createShaderModule: count('createShaderModule'),
    createComputePipeline: count('createComputePipeline'),
    createComputePipelineAsync: count('createComputePipelineAsync'),
    createCommandEncoder: count('createCommandEncoder'),
    createQuerySet: count('createQuerySet'),
    createTexture: count('createTexture'),
    pushErrorScope: count('pushErrorScope'),
    popErrorScope: count('popErrorScope'),
    queue: (own) => intercept(own, { submit: count('submit'), writeBuffer: count('writeBuffer') }),
  };
}

/** A buffer of the caller's own that holds `words`. */
export function foreignBuffer(
  device: GPUDevice,
  words: ArrayBufferView,
  usage: number = STORAGE | COPY_SRC | COPY_DST,
): GPUBuffer {
  const buffer = device.createBuffer({ size: words.byteLength, usage, mappedAtCreation: true });
  const bytes = new Uint8Array(words.buffer as ArrayBuffer, words.byteOffset, words.byteLength);
  new Uint8Array(buffer.getMappedRange()).set(bytes);
  buffer.unmap();
  return buffer;
}

/** The bits that a buffer holds, copied out without the library. */
export async function bitsOf(device: GPUDevice, buffer: GPUBuffer): Promise<Uint32Array<ArrayBuffer>> {
  const staging = device.createBuffer({ size: buffer.size, usage: MAP_READ | COPY_DST });
  try {
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_READ);
    return new Uint32Array(staging.getMappedRange().slice(0));
  } finally {
    staging.destroy();
  }
}
