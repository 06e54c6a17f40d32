import code from './adam.wgsl?raw';
import { guarded, USAGE } from './device.js';

/** How fast Adam forgets (`beta1` the gradient, `beta2` its square), and what keeps it from dividing by 0. */
export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** The rate of step `t`, from 1 to `steps`: half a cosine, from `highest` down to nearly 0. */
export function fallingRate(highest: number, t: number, steps: number): number {
  return (highest / 2) * (1 + Math.cos((Math.PI * (t - 1)) / steps));
}

/** What one step needs. */
export interface AdamStep extends AdamSettings {
  readonly rate: number;
  readonly correction1: number;
  readonly correction2: number;
}

/** Step `t` from 1 on: the rate, and the corrections for averages that started at 0. */
export function adamStep(settings: AdamSettings, t: number, rate: number): AdamStep {
  return {
    ...settings,
    rate,
    correction1: 1 / (1 - settings.beta1 ** t),
    correction2: 1 / (1 - settings.beta2 ** t),
  };
}

/** Adam over plain arrays: changes `values` in place. */
export class CpuAdam {
  readonly #mean: Float32Array;
  readonly #square: Float32Array;

  /** @param length how many values */
  constructor(length: number) {
    this.#mean = new Float32Array(length);
    this.#square = new Float32Array(length);
  }

  apply(step: AdamStep, values: Float32Array, gradient: Float32Array): void {
    const { beta1, beta2, epsilon } = step;
    const mean = this.#mean;
    const square = this.#square;
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i]!;
      const m = beta1 * mean[i]! + (1 - beta1) * g;
      const v = beta2 * square[i]! + (1 - beta2) * g * g;
      mean[i] = m;
      square[i] = v;
      values[i] =
        values[i]! - (step.rate * m * step.correction1) / (Math.sqrt(v * step.correction2) + epsilon);
    }
  }
}

const STEP_BYTES = 32;
const WORKGROUP_SIZE = 64;
/** Enough to fill any GPU; each invocation strides over what is left. */
const MAX_WORKGROUPS = 4096;

/** Adam as a compute pass over GPU buffers: changes the values where they are. */
export class GpuAdam {
  readonly #device: GPUDevice;
  readonly #pipeline: GPUComputePipeline;
  readonly #owned: GPUBuffer[];
  readonly #pieces: { readonly uniform: GPUBuffer; readonly bind: GPUBindGroup; readonly vectors: number }[];

  private constructor(
    device: GPUDevice,
    pipeline: GPUComputePipeline,
    owned: GPUBuffer[],
    pieces: { readonly uniform: GPUBuffer; readonly bind: GPUBindGroup; readonly vectors: number }[],
  ) {
    this.#device = device;
    this.#pipeline = pipeline;
    this.#owned = owned;
    this.#pieces = pieces;
  }

  /**
   * @param values f32, usage STORAGE, size a multiple of 16 bytes; the bytes past the last value must stay 0 in `gradient`
   * @param gradient as long as `values`
   * @throws Error when the device cannot hold the two averages, each as long as `values`
   */
  static create(device: GPUDevice, values: GPUBuffer, gradient: GPUBuffer): Promise<GpuAdam> {
    return guarded(device, 'preparing Adam', () => {
      const module = device.createShaderModule({ label: 'adam', code });
      const pipeline = device.createComputePipeline({
        label: 'adam',
        layout: 'auto',
        compute: { module, entryPoint: 'adam' },
      });
      const average = (label: string) =>
        device.createBuffer({ label, size: values.size, usage: USAGE.storage });
      const mean = average('adam: mean of the gradient');
      const square = average('adam: mean of its square');
      const owned = [mean, square];

      // An adapter may bind less of a buffer than the matrix takes: then the kernel goes over it in pieces.
      const most = Math.floor(device.limits.maxStorageBufferBindingSize / 256) * 256;
      const pieces = [];
      for (let offset = 0; offset < values.size; offset += most) {
        const size = Math.min(most, values.size - offset);
        const uniform = device.createBuffer({
          label: 'adam: step',
          size: STEP_BYTES,
          usage: USAGE.uniform | USAGE.copyTarget,
        });
        owned.push(uniform);
        const entries = [values, gradient, mean, square].map((buffer, i) => ({
          binding: i + 1,
          resource: { buffer, offset, size },
        }));
        const bind = device.createBindGroup({
          label: 'adam',
          layout: pipeline.getBindGroupLayout(0),
          entries: [{ binding: 0, resource: { buffer: uniform } }, ...entries],
        });
        pieces.push({ uniform, bind, vectors: size / 16 });
      }
      return new GpuAdam(device, pipeline, owned, pieces);
    });
  }

  /** Puts the step into the caller's encoder, which must be submitted before the next call: the settings go through the queue. */
  encode(encoder: GPUCommandEncoder, step: AdamStep): void {
    const { beta1, beta2, epsilon } = step;
    const pass = encoder.beginComputePass({ label: 'adam' });
    pass.setPipeline(this.#pipeline);
    for (const { uniform, bind, vectors } of this.#pieces) {
      const settings = new ArrayBuffer(STEP_BYTES);
      new Float32Array(settings).set([step.rate, beta1, beta2, epsilon, step.correction1, step.correction2]);
      new Uint32Array(settings)[6] = vectors;
      this.#device.queue.writeBuffer(uniform, 0, settings);
      pass.setBindGroup(0, bind);
      pass.dispatchWorkgroups(Math.min(MAX_WORKGROUPS, Math.ceil(vectors / WORKGROUP_SIZE)));
    }
    pass.end();
  }

  destroy(): void {
    for (const buffer of this.#owned) buffer.destroy();
  }
}
