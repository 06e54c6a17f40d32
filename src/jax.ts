/**
 * The cross-entropy of class indices for jax-js, and its gradient as the cotangent that a pullback of `vjp` takes.
 *
 * Kernels read the logits where they are. jax-js has no way to take in a buffer, so the cotangent is written into one of its own, that of a
 * new array of zeros which nobody has seen yet: nothing is read back. Labels and the loss are copied on the device, 4 bytes each. The
 * framework is never imported, only used through the namespace that is passed in.
 *
 * @module webgpu-loss/jax
 */
import { invalid } from './errors.js';
import { isDevice } from './frameworks/context.js';
import { SparseLoss, type SparseLossOptions } from './frameworks/sparseLoss.js';

export type { SparseLossOptions } from './frameworks/sparseLoss.js';

/** What is used of a `jax.Array`. */
export interface JaxArray {
  /** Sizes of the dimensions. */
  readonly shape: number[];
  /** `'float32'`, `'int32'`, … */
  readonly dtype: string;
  /** Where it lies: `'webgpu'`, … */
  readonly device: string;
  /** The same array with one more holder. */
  readonly ref: this;
  /** The buffer that its elements lie in; takes over the array. */
  gpuBuffer(): Promise<GPUBuffer>;
  /** Its elements, copied out; takes over the array. */
  data(): Promise<ArrayLike<number>>;
  /** Gives up this holder. */
  dispose(): void;
}

/** What is used of the namespace of `@jax-js/jax`. `A` is its `Array`. */
export interface JaxNamespace<A extends JaxArray> {
  /** The device that jax-js computes on. */
  getWebGPUDevice(): GPUDevice;
  /** NumPy's functions. */
  readonly numpy: {
    /** An array of zeros. */
    zeros(shape: number[], options: { device: 'webgpu' }): A;
  };
}

/** A loss for `vjp`; made by `sparseCrossEntropy`. */
export interface JaxSparseCrossEntropy<A extends JaxArray> {
  /**
   * The loss in nats, of shape [], and its gradient with respect to the logits, of their shape: the cotangent for the pullback. Like every
   * function of jax-js it takes over its arguments, also where it rejects; pass `array.ref` to keep one.
   *
   * @param logits float32 on WebGPU, the classes last
   * @param labels int32 class indices, one for each row of logits: their shape without the last axis, or with 1 in its place. One that is
   *   out of range makes the loss NaN; `read()` says which.
   * @throws InvalidArgumentError for other arrays, or after `dispose()`; `DeviceLostError`; and, once an earlier call has turned out to have
   *   failed on the device, its error for good
   */
  (logits: A, labels: A): Promise<[loss: A, cotangent: A]>;
  /**
   * The loss of the last call, in nats, once the device has computed it. Rejects with what went wrong there, which a `jax.Array` cannot:
   * `TargetOutOfRangeError` for a label, `ValidationError`, `OutOfMemoryError`, `DeviceLostError`.
   */
  read(): Promise<number>;
  /** Frees what it holds on the device. Arrays that it returned live on. */
  dispose(): void;
}

const OP = 'sparseCrossEntropy';

/**
 * Makes a loss out of the cross-entropy of class indices, on the device of jax-js.
 *
 * `await init('webgpu')` must have been called. What is new in a shape of logits is compiled when it is first met.
 *
 * @param jax the namespace of `@jax-js/jax`, as of `import * as jax`; 0.1.25 was tried
 * @throws InvalidArgumentError where jax-js has no WebGPU, for options that do not fit, and where what is written into the buffer of an
 *   array does not show in the array, as may be in other versions
 */
export async function sparseCrossEntropy<A extends JaxArray>(
  jax: JaxNamespace<A>,
  options: SparseLossOptions = {},
): Promise<JaxSparseCrossEntropy<A>> {
  const device = deviceOf(jax);
  const loss = await SparseLoss.open(OP, device, options, [], false);
  try {
    await checkWritable(jax, device);
  } catch (error) {
    loss.dispose();
    throw error;
  }

  const call = async (logits: A, labels: A): Promise<[A, A]> => {
    const made: A[] = [];
    try {
      loss.check();
      checkArray('logits', logits);
      checkArray('labels', labels);
      if (logits.dtype !== 'float32') invalid(OP, `logits are ${logits.dtype}; float32 is needed.`);
      loss.checkLabels(logits.shape, labels.shape, labels.dtype, 'labels.astype(jax.numpy.int32)');
      const sized = await loss.prepare(logits.shape);
      const results = [empty(jax, []), empty(jax, logits.shape)] as const;
      made.push(...results);
      const [from, indices, value, grad] = await Promise.all(
        [logits, labels, ...results].map((array) => array.ref.gpuBuffer()),
      );
      // Time has passed.
      loss.check();
      loss.run(sized, { logits: from!, labels: indices!, loss: value!, grad: grad! });
      return [...results];
    } catch (error) {
      for (const array of made) array.dispose();
      throw error;
    } finally {
      for (const array of [logits, labels]) array?.dispose?.();
    }
  };
  return Object.assign(call, { read: () => loss.read(), dispose: () => loss.dispose() });
}

function deviceOf(jax: JaxNamespace<JaxArray>): GPUDevice {
  if (typeof jax?.getWebGPUDevice !== 'function' || typeof jax.numpy?.zeros !== 'function') {
    invalid(OP, 'the first argument must be the namespace of jax-js: `import * as jax` from @jax-js/jax.');
  }
  let device: unknown;
  try {
    device = jax.getWebGPUDevice();
  } catch (cause) {
    invalid(OP, `jax-js has no WebGPU device; await jax.init('webgpu') first.`, { cause });
  }
  if (!isDevice(device)) invalid(OP, `jax-js has no WebGPU device; await jax.init('webgpu') first.`);
  return device;
}

/** An array that nobody else has: its buffer may be written to. */
function empty<A extends JaxArray>({ numpy }: JaxNamespace<A>, shape: readonly number[]): A {
  return numpy.zeros([...shape], { device: 'webgpu' });
}

/** Throws unless an array shows what is written into its buffer: nothing in jax-js promises it. */
async function checkWritable<A extends JaxArray>(jax: JaxNamespace<A>, device: GPUDevice): Promise<void> {
  const array = empty(jax, [2]);
  const written = Float32Array.of(0.25, -3);
  device.queue.writeBuffer(await array.ref.gpuBuffer(), 0, written);
  const shown = await array.data();
  if (written.every((value, i) => shown[i] === value)) return;
  invalid(
    OP,
    'an array of this version of jax-js does not show what is written into its buffer; use version 0.1.25, or crossEntropy() of ' +
      'webgpu-loss on the buffer of the logits, and upload its gradient.',
  );
}

function checkArray(name: string, array: JaxArray): void {
  if (typeof array?.gpuBuffer !== 'function') {
    invalid(OP, `${name} must be a jax.Array, not a tracer: call the loss outside of jit, grad and vjp.`);
  }
  if (array.device !== 'webgpu') {
    invalid(
      OP,
      `${name} are on '${array.device}'; put them on WebGPU: await jax.devicePut(${name}, 'webgpu').`,
    );
  }
}
