/// <reference lib="esnext.disposable" preserve="true" />
import { findAdapter } from './adapter.js';
import type { Backend, Operand } from './backend.js';
import { checkData, checkDType, type DType, type TensorData } from './dtype.js';
import { type DeviceLostError, invalid, WebGpuUnavailableError } from './errors.js';
import type { GpuBackend } from './gpu/backend.js';
import type { AdapterFacts } from './info.js';
import { checkFlag, checkOptions } from './options.js';
import type { Policy } from './plan/policy.js';
import { checkShape, elementCount, formatShape, spanOf } from './shape.js';
import { Tensor } from './tensor.js';
import { deriveWork } from './work.js';

/** Options of `createContext`. */
export interface ContextOptions {
  /**
   * `'auto'` (default): hardware WebGPU if there is any, otherwise the CPU; a software adapter is slower than the CPU code.
   * `'webgpu'`: any adapter, or `WebGpuUnavailableError`. `'cpu'`: no WebGPU.
   */
  readonly backend?: 'auto' | 'webgpu' | 'cpu';
  /** A device to share, such as a framework's. It is never destroyed by this library. */
  readonly device?: GPUDevice;
  /** Where to look for adapters (with `device`: where it came from); `navigator.gpu` by default. In Node: `gpu()` from `webgpu-loss/node`. */
  readonly gpu?: GPU | undefined | PromiseLike<GPU | undefined>;
  /** Overrides of the tuning policy, for all calls of this context. */
  readonly policy?: Partial<Policy>;
  /**
   * True: results have the same bits on every adapter and on the CPU, run by run; slower. Operations that have no such form are refused, and
   * so are the parts of the policy that change bits: `strategy`, `workgroupSize` and `segment`. Default false.
   */
  readonly reproducible?: boolean;
}

/** Options of `ctx.fromBuffer`. */
export interface FromBufferOptions {
  /** Default `'f32'`. */
  readonly dtype?: DType;
  /** Where the first element lies; a multiple of 4, or of 2 for 16-bit floats. Default 0. */
  readonly byteOffset?: number;
  /** Elements from one row (the last dimension) to the next, for padded rows. Default: the length of a row. */
  readonly rowStride?: number;
}

let open: (context: Context) => { readonly backend: Backend; readonly policy: Partial<Policy> };

/** Where tensors live and operations run: a GPU device, or the CPU. Made by `createContext`. */
export class Context {
  /** What computes. */
  readonly backend: 'webgpu' | 'cpu';
  /** The GPU device; undefined on the CPU. */
  readonly device: GPUDevice | undefined;
  /** Whether results have the same bits on every adapter and on the CPU: the option `reproducible`. */
  readonly reproducible: boolean;
  /** What is known of the adapter. */
  readonly info: AdapterFacts;
  /** Resolves with the error when the device is lost, also by `destroy()` of a context that owns it; pending on the CPU. Never rejects. */
  readonly lost: Promise<DeviceLostError>;
  readonly #backend: Backend;
  readonly #policy: Partial<Policy>;

  /** @internal Use `createContext`. */
  constructor(backend: Backend, policy: Partial<Policy> | undefined) {
    this.backend = backend.facts.backend;
    this.device = backend.device;
    this.reproducible = backend.reproducible;
    this.info = backend.facts;
    this.lost = backend.lost;
    this.#backend = backend;
    this.#policy = backend.wishes('createContext', policy, {});
  }

  static {
    open = (context) => ({ backend: context.#backend, policy: context.#policy });
  }

  /**
   * Copies `data` to the device. The dtype is the array's: Float32Array f32, Int32Array i32, Uint32Array u32, Float16Array f16.
   *
   * With `dtype` 'f16' or 'bf16', a Uint16Array is taken as raw bits, and a Float32Array is rounded to nearest, ties to even. These are
   * for storage, on any device; all arithmetic is in 32 bits.
   *
   * @param shape Dimensions, row-major; their product is the array's length. `[]` is one element.
   * @throws InvalidArgumentError for another kind of array, or one that does not fit the shape; LimitExceededError above the
   *   adapter's largest buffer. A failed allocation is told by `read()` and by the operations that use the tensor.
   */
  tensor(data: TensorData, shape: readonly number[], dtype?: DType): Tensor {
    const op = 'tensor';
    this.#backend.check(op);
    checkShape(op, 'shape', shape);
    const checked = checkData(op, 'data', data, dtype);
    if (elementCount(shape) !== data.length) {
      invalid(
        op,
        `shape ${formatShape(shape)} has ${elementCount(shape)} elements, data has ${data.length}.`,
        { shapes: { shape } },
      );
    }
    const { storage, work } = this.#backend.allocate(op, checked.data.byteLength);
    const uploaded = this.#backend.upload(storage, checked.data);
    return new Tensor(this, shape, checked.dtype, this.#backend, {
      storage,
      work: this.#backend.device === undefined ? work : deriveWork([work], uploaded),
    });
  }

  /**
   * A tensor over a caller's buffer, without a copy. The buffer stays the caller's: it must live as long as the tensor is used and
   * have been created with `GPUBufferUsage.STORAGE` (and `COPY_SRC`, to `read()` it).
   *
   * @throws InvalidArgumentError where the buffer is too small, of the wrong usage, or the context runs on the CPU.
   */
  fromBuffer(buffer: GPUBuffer, shape: readonly number[], options: FromBufferOptions = {}): Tensor {
    const op = 'fromBuffer';
    checkShape(op, 'shape', shape);
    checkOptions(op, options, ['dtype', 'byteOffset', 'rowStride']);
    const { dtype = 'f32', byteOffset = 0, rowStride } = options;
    checkDType(op, dtype);
    const length = shape.at(-1) ?? 1;
    if (
      rowStride !== undefined &&
      (!Number.isSafeInteger(rowStride) || rowStride < length || shape.length === 0)
    ) {
      invalid(
        op,
        `rowStride is ${rowStride}; rows of ${formatShape(shape)} need a whole number from ${length}.`,
        { shapes: { shape } },
      );
    }
    const span = spanOf(shape, rowStride);
    const part = this.#backend.adopt(op, buffer, byteOffset, span, dtype);
    return new Tensor(this, shape, dtype, this.#backend, part, rowStride);
  }

  /** Ends the context; destroys the device if the context made it. Tensors can no longer be read. */
  destroy(): void {
    this.#backend.destroy();
  }

  /** The same as `destroy()`: for `using`. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** A context's backend and policy, for the operations. */
export function backendOf(context: Context): { readonly backend: Backend; readonly policy: Partial<Policy> } {
  return open(context);
}

/** A tensor around what a backend computed. */
export function tensorOf(context: Context, shape: readonly number[], dtype: DType, operand: Operand): Tensor {
  return new Tensor(context, shape, dtype, backendOf(context).backend, operand);
}

/**
 * Opens a device, or falls back to the CPU.
 *
 * With `reproducible: true` the device first computes some rows, whose bits must be those of the same arithmetic in JavaScript.
 *
 * @throws InvalidArgumentError for unknown options; WebGpuUnavailableError where WebGPU was demanded (`backend: 'webgpu'`, or a
 *   device) and there is none, or it cannot compute reproducibly; DeviceLostError if the given device is lost.
 */
export async function createContext(options: ContextOptions = {}): Promise<Context> {
  const op = 'createContext';
  checkOptions(op, options, ['backend', 'device', 'gpu', 'policy', 'reproducible']);
  const { backend = 'auto', device, policy, reproducible = false } = options;
  if (!['auto', 'webgpu', 'cpu'].includes(backend)) {
    invalid(op, `backend is '${String(backend)}'; use 'auto', 'webgpu' or 'cpu'.`);
  }
  checkFlag(op, 'reproducible', reproducible);
  if (device !== undefined && backend === 'cpu') {
    invalid(op, `a device was given, but backend is 'cpu'; leave one of them out.`);
  }
  const gpu = Promise.resolve(options.gpu);
  // It may fail before it is waited for.
  gpu.catch(() => undefined);
  // What not every context needs is loaded where it is asked for.
  const form = reproducible ? await import('./reproducible/index.js') : undefined;
  const onCpu = async (): Promise<Context> => {
    const { openCpu } = await import('./cpu/backend.js');
    return new Context(await openCpu(form?.reproducibleRunner), policy);
  };
  const onGpu = async (opened: GpuBackend): Promise<Context> => {
    const context = new Context(opened, policy);
    await form?.selfTest(op, opened, form.reproducibleArithmetic);
    return context;
  };
  if (backend === 'cpu') return onCpu();
  if (device !== undefined) {
    const { shareGpu } = await import('./gpu/open.js');
    return onGpu(await shareGpu(op, device, await gpu, form?.reproducibleArithmetic));
  }
  const found = await findAdapter(op, gpu, backend === 'webgpu');
  if (found === undefined) return onCpu();
  const { openGpu } = await import('./gpu/open.js');
  const opened = await openGpu(op, found, form?.reproducibleArithmetic);
  try {
    return await onGpu(opened);
  } catch (error) {
    opened.destroy();
    if (backend === 'auto' && error instanceof WebGpuUnavailableError) return onCpu();
    throw error;
  }
}
