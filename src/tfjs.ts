/**
 * The cross-entropy of class indices for TensorFlow.js on its WebGPU backend, with a gradient that `tf.train` optimizers follow.
 *
 * Logits and their gradient stay where they are: kernels read and write the buffers of tfjs. Labels, the loss and the upstream gradient
 * are copied on the device, 4 bytes each. The framework is never imported, only used through the namespace that is passed in.
 *
 * @module webgpu-loss/tfjs
 */
import { invalid } from './errors.js';
import { isDevice } from './frameworks/context.js';
import { type LossBuffers, SparseLoss, type SparseLossOptions } from './frameworks/sparseLoss.js';
import { formatShape } from './shape.js';

export type { SparseLossOptions } from './frameworks/sparseLoss.js';

/** What is used of a `tf.Tensor`. */
export interface TfTensor {
  /** What the backend knows its data by. */
  readonly dataId: object;
  /** Sizes of the dimensions. */
  readonly shape: number[];
  /** `'float32'`, `'int32'`, … */
  readonly dtype: string;
}

/** What is used of the namespace of `@tensorflow/tfjs` or `@tensorflow/tfjs-core`. `T` is its `Tensor`, `S` its `Scalar`. */
export interface TfNamespace<T extends TfTensor, S extends T> {
  /** The name of the backend. */
  getBackend(): string;
  /** The backend itself. */
  backend(): object;
  /** A tensor of one number. */
  scalar(value: number): S;
  /** What keeps account of tensors. */
  engine(): {
    /** Makes a tensor of what a kernel gave. */
    makeTensorFromTensorInfo(info: TfTensorInfo): T;
  };
  /** A function with a gradient of its own. */
  customGrad(
    f: (...inputs: (T | ((tensors: T[]) => void))[]) => {
      value: T;
      gradFunc: (dy: T, saved: T[]) => T | T[];
    },
  ): (...inputs: T[]) => T;
}

/** A tensor that the engine of tfjs does not know of yet. */
export interface TfTensorInfo {
  /** What the backend knows its data by. */
  dataId: object;
  /** Sizes of the dimensions. */
  shape: number[];
  /** `'float32'`, `'int32'`, … */
  dtype: 'float32';
}

/** What is used of the backend of tfjs: its public methods, as of version 4.22. */
interface WebGpuTfBackend {
  readonly device: GPUDevice;
  readonly tensorMap: { get(dataId: object): { readonly resource?: GPUBuffer | null } };
  uploadToGPU(dataId: object): void;
  makeTensorInfo(shape: number[], dtype: 'float32'): TfTensorInfo;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

const METHODS = [
  'uploadToGPU',
  'makeTensorInfo',
  'ensureCommandEncoderReady',
  'endComputePassEncoder',
  'submitQueue',
] as const satisfies readonly (keyof WebGpuTfBackend)[];

/** Options of `sparseCrossEntropy`. */
export interface TfSparseCrossEntropyOptions extends SparseLossOptions {
  /** Of the logits: the classes last, the batch and whatever else before. More shapes: `prepare`. */
  readonly shape: readonly number[];
}

/** A loss for `tf.train` optimizers; made by `sparseCrossEntropy`. */
export interface TfSparseCrossEntropy<S extends TfTensor> {
  /**
   * The loss, in nats. Synchronous, differentiable once with respect to the logits, and at home in `tf.tidy` and `tf.variableGrads`.
   *
   * @param logits float32, of a shape that was prepared
   * @param labels int32 class indices, one for each row of logits: their shape without the last axis, or with 1 in its place. One that is
   *   out of range makes the loss NaN; `read()` says which.
   * @throws InvalidArgumentError for other tensors, another backend, or after `dispose()`; `DeviceLostError`; and, once an
   *   earlier call has turned out to have failed on the device, its error for good
   */
  (logits: TfTensor, labels: TfTensor): S;
  /** Makes the loss ready for logits of another shape, such as a last batch that is smaller. With the same classes nothing is compiled. */
  prepare(shape: readonly number[]): Promise<void>;
  /**
   * The loss of the last call, in nats, once the device has computed it. Rejects with what went wrong there, which a `tf.Tensor` cannot:
   * `TargetOutOfRangeError` for a label, `ValidationError`, `OutOfMemoryError`, `DeviceLostError`.
   */
  read(): Promise<number>;
  /** Frees what it holds on the device. Tensors that it returned live on. */
  dispose(): void;
}

const OP = 'sparseCrossEntropy';

/**
 * Makes a loss out of the cross-entropy of class indices, on the device of the WebGPU backend of tfjs.
 *
 * The backend must be ready: `await tf.setBackend('webgpu')`. Everything is compiled before the promise resolves.
 *
 * @param tf the namespace of `@tensorflow/tfjs`, or of `@tensorflow/tfjs-core` with `@tensorflow/tfjs-backend-webgpu`; 4.22 was tried
 * @throws InvalidArgumentError where tfjs runs on another backend, or for options that do not fit
 */
export async function sparseCrossEntropy<T extends TfTensor, S extends T>(
  tf: TfNamespace<T, S>,
  options: TfSparseCrossEntropyOptions,
): Promise<TfSparseCrossEntropy<S>> {
  const backend = webGpuBackend(tf);
  const loss = await SparseLoss.open(OP, backend.device, options, ['shape'], true);
  try {
    await loss.prepare(options.shape);
  } catch (error) {
    loss.dispose();
    throw error;
  }

  /** Runs on tensors of tfjs, which submits what it recorded so far first; gives a new tensor of `shape`. */
  const run = (
    given: { readonly logits: T; readonly labels: T; readonly gradOutput?: T },
    result: 'loss' | 'grad',
  ): T => {
    loss.check();
    const { logits, labels, gradOutput } = given;
    const sized = loss.find(logits.shape);
    if (sized === undefined) unprepared(logits.shape);
    const info = backend.makeTensorInfo(result === 'loss' ? [] : [...logits.shape], 'float32');
    const output = tf.engine().makeTensorFromTensorInfo(info);
    const buffers: LossBuffers = {
      logits: bufferOf(backend, 'logits', logits),
      labels: bufferOf(backend, 'labels', labels),
      ...(gradOutput && { gradOutput: bufferOf(backend, 'the upstream gradient', gradOutput) }),
      [result]: bufferOf(backend, 'the result', output),
    };
    // Uploads, too, are recorded only, so this comes after them.
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
    loss.run(sized, buffers);
    return output;
  };

  const call = (logits: TfTensor, labels: TfTensor): S => {
    if (tf.backend() !== backend) {
      invalid(
        OP,
        `tfjs now runs on '${tf.getBackend()}'; this loss belongs to the WebGPU backend it was made on. Make a new one.`,
      );
    }
    loss.check();
    checkTensor('logits', logits);
    checkTensor('labels', labels);
    if (logits.dtype !== 'float32') invalid(OP, `logits are ${logits.dtype}; float32 is needed.`);
    if (loss.find(logits.shape) === undefined) unprepared(logits.shape);
    loss.checkLabels(logits.shape, labels.shape, labels.dtype, "tf.cast(labels, 'int32')");
    const differentiable = tf.customGrad((...inputs) => {
      const [own, save] = inputs as [T, (tensors: T[]) => void];
      // Kept until the gradient was asked for, whatever a tidy around disposes of.
      save([own, labels as T]);
      return {
        value: run({ logits: own, labels: labels as T }, 'loss'),
        gradFunc: (dy, saved) => gradient(dy, saved as [T, T]),
      };
    });
    return differentiable(logits as T) as S;
  };

  /** The gradient as an operation of its own: its derivative, which tfjs would take for 0, is refused. */
  const gradient = (dy: T, [logits, labels]: [T, T]): T =>
    tf.customGrad((...inputs) => {
      const [own, upstream] = inputs as T[] as [T, T];
      return {
        value: run({ logits: own, labels, gradOutput: upstream }, 'grad'),
        gradFunc: () => invalid(OP, 'there is no second derivative of this loss.'),
      };
    })(logits, dy);

  return Object.assign(call, {
    prepare: async (shape: readonly number[]) => {
      await loss.prepare(shape);
    },
    read: () => loss.read(),
    dispose: () => loss.dispose(),
  });
}

function webGpuBackend(tf: { getBackend(): string; backend(): object }): WebGpuTfBackend {
  if (typeof tf?.backend !== 'function' || typeof tf.getBackend !== 'function') {
    invalid(OP, 'the first argument must be the namespace of TensorFlow.js, as of `import * as tf`.');
  }
  const backend = tf.backend() as WebGpuTfBackend | null;
  if (!isDevice(backend?.device)) {
    invalid(
      OP,
      `tfjs runs on '${tf.getBackend()}'; this needs its WebGPU backend: import '@tensorflow/tfjs-backend-webgpu' and ` +
        "await tf.setBackend('webgpu') first.",
    );
  }
  const missing = METHODS.filter((name) => typeof backend?.[name] !== 'function');
  if (missing.length > 0) {
    invalid(
      OP,
      `this version of @tensorflow/tfjs-backend-webgpu has no ${missing.join(', ')}; use version 4.22.`,
    );
  }
  return backend as WebGpuTfBackend;
}

function checkTensor(name: string, tensor: TfTensor & { readonly isDisposed?: boolean }): void {
  if (typeof tensor?.dataId !== 'object' || !Array.isArray(tensor.shape)) {
    invalid(OP, `${name} must be a tf.Tensor.`);
  }
  if (tensor.isDisposed) invalid(OP, `${name} ${formatShape(tensor.shape)} was disposed of.`);
}

/** The buffer of a tensor; what tfjs still holds on the CPU is uploaded, what it has not made yet is allocated. */
function bufferOf(backend: WebGpuTfBackend, name: string, { dataId }: TfTensor): GPUBuffer {
  backend.uploadToGPU(dataId);
  const { resource } = backend.tensorMap.get(dataId);
  if (typeof resource?.usage === 'number' && 'mapState' in resource) return resource;
  invalid(OP, `${name} lie in no buffer; pass a tensor that an operation of tfjs made.`);
}

function unprepared(shape: readonly number[]): never {
  invalid(
    OP,
    `logits of shape ${formatShape(shape)} were not prepared; await loss.prepare([${shape.join(', ')}]) once before.`,
    { shapes: { logits: shape } },
  );
}
