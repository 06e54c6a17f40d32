import type { AdapterFacts } from '../info.js';
import { type AnyVariant, keyOf } from '../plan/variant.js';
import { composeShader } from './shader.js';

const COMPUTE = 0x4; // GPUShaderStage.COMPUTE; the global is missing in Node.

/** A compiled variant. */
export interface Pipeline {
  readonly key: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** The compiled variants of one device. A failed compilation is not kept: the next call tries again. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #facts: AdapterFacts;
  readonly #cache: Map<string, Promise<Pipeline>> = new Map();

  constructor(device: GPUDevice, facts: AdapterFacts) {
    this.#device = device;
    this.#facts = facts;
  }

  /** The pipeline of `variant`; rejects with `CompileError`. */
  get(variant: AnyVariant): Promise<Pipeline> {
    const key = keyOf(variant);
    const known = this.#cache.get(key);
    if (known !== undefined) return known;
    const compiled = this.#compile(key, variant);
    this.#cache.set(key, compiled);
    compiled.catch(() => this.#cache.delete(key));
    return compiled;
  }

  async #compile(key: string, variant: AnyVariant): Promise<Pipeline> {
    const device = this.#device;
    const code = await ('tiles' in variant
      ? (await import('./productShader.js')).composeProduct(variant)
      : composeShader(variant));
    // Bad WGSL is reported twice, by the promise and as an error of the module: the scope takes the second.
    device.pushErrorScope('validation');
    const module = device.createShaderModule({
      __proto__: null,
      label: key,
      code,
    } as GPUShaderModuleDescriptor);
    const layout = device.createBindGroupLayout({
      __proto__: null,
      label: key,
      entries: layoutEntries(variant),
    } as GPUBindGroupLayoutDescriptor);
    const pipelining = device.createComputePipelineAsync({
      __proto__: null,
      label: key,
      layout: device.createPipelineLayout({
        __proto__: null,
        label: key,
        bindGroupLayouts: [layout],
      } as unknown as GPUPipelineLayoutDescriptor),
      compute: { __proto__: null, module, entryPoint: 'main' },
    } as unknown as GPUComputePipelineDescriptor);
    const scope = device.popErrorScope();
    const [pipeline, error] = await Promise.allSettled([pipelining, scope]);
    const reported = error.status === 'fulfilled' ? error.value : error.reason;
    if (pipeline.status === 'fulfilled' && reported === null)
      return { key, pipeline: pipeline.value, layout };
    const cause = pipeline.status === 'rejected' ? pipeline.reason : reported;
    const { notCompiled } = await import('./refusals.js');
    throw await notCompiled(this.#facts, key, code, module, cause);
  }
}

function layoutEntries({ bindings }: AnyVariant): GPUBindGroupLayoutEntry[] {
  const entry = (binding: number, type: GPUBufferBindingType): GPUBindGroupLayoutEntry => ({
    binding,
    visibility: COMPUTE,
    buffer: { type },
  });
  return [
    entry(0, 'uniform'),
    ...bindings.map(({ write }, i) => entry(i + 1, write ? 'storage' : 'read-only-storage')),
  ];
}
