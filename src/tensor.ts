/// <reference lib="esnext.disposable" preserve="true" />
import type { Backend, Operand, Storage } from './backend.js';
import type { Context } from './context.js';
import {
  arrayOver,
  bytesOf,
  checkData,
  type DType,
  isHalf,
  type TensorData,
  type TypedArray,
} from './dtype.js';
import { AbortedError, invalid } from './errors.js';
import { checkOptions } from './options.js';
import { elementCount, formatShape, spanOf } from './shape.js';
import { deriveWork, type Work } from './work.js';

/** What a tensor is made of; changed by the library only. */
export interface TensorState {
  readonly backend: Backend;
  readonly storage: Storage;
  work: Work;
  destroyed: boolean;
  /** Calls that have been made with the tensor and not been submitted yet. Its memory stays until then. */
  pending: number;
}

let access: (tensor: Tensor) => TensorState;

/** An array on a context's device. Row-major; immutable to callers except through `write` and in-place gradients. */
export class Tensor {
  /** Sizes of the dimensions, row-major; `[]` for one element. */
  readonly shape: readonly number[];
  /** Type of the elements. */
  readonly dtype: DType;
  /** The context that the tensor was made by; tensors of one call must have the same. */
  readonly context: Context;
  /** Elements from one row (the last dimension) to the next; its length unless `fromBuffer` said otherwise. */
  readonly rowStride: number;
  readonly #state: TensorState;

  /** @internal Tensors come from `ctx.tensor`, `ctx.fromBuffer` and the operations. */
  constructor(
    context: Context,
    shape: readonly number[],
    dtype: DType,
    backend: Backend,
    { storage, work }: Operand,
    rowStride?: number,
  ) {
    this.context = context;
    this.shape = Object.freeze([...shape]);
    this.dtype = dtype;
    this.rowStride = rowStride ?? shape.at(-1) ?? 1;
    this.#state = { backend, storage, work, destroyed: false, pending: 0 };
    for (const verdict of work.verdicts) verdict.retain();
  }

  static {
    access = (tensor) => tensor.#state;
  }

  /**
   * The GPU buffer the elements lie in, from byte `byteOffset`; undefined on the CPU backend. It is the tensor's own until
   * `destroy()`; use it to feed the tensor to other WebGPU code without a copy.
   */
  get buffer(): GPUBuffer | undefined {
    return 'buffer' in this.#state.storage ? this.#state.storage.buffer : undefined;
  }

  /** Where the first element lies in `buffer`, in bytes; 0 on the CPU backend. */
  get byteOffset(): number {
    return 'buffer' in this.#state.storage ? this.#state.storage.byteOffset : 0;
  }

  /**
   * Waits for the work that produced the tensor and copies the elements out, dense and in row-major order; 16-bit floats as the
   * float32 values they stand for.
   *
   * Rejects with the error of that work, whichever call made it: `OutOfMemoryError`, `ValidationError`, `DeviceLostError`, or
   * `TargetOutOfRangeError` when it came from class indices of which one is out of range. `AbortedError` if `signal` fires first.
   */
  async read(options: { readonly signal?: AbortSignal } = {}): Promise<TypedArray> {
    checkOptions('read', options, ['signal']);
    const { signal } = options;
    const state = usableState('read', 'the tensor', this);
    throwIfAborted('read', signal);
    const span = spanOf(this.shape, this.rowStride);
    // Everything is asked in one go, so that the tensor may be destroyed or written to right after the call.
    const ask = () => {
      const { failure, verdicts } = state.work;
      const data = state.backend.download(state.storage, span * bytesOf(this.dtype));
      return {
        data,
        outcomes: Promise.all([failure, data.failure, ...verdicts.map((verdict) => verdict.ask())]),
      };
    };
    // Calls made before this one come first; the memory is held until then.
    const asked =
      state.pending === 0
        ? ask()
        : await orAbort(
            'read',
            signal,
            held([state], () => state.backend.queue.add(ask)),
          );
    const found = await orAbort('read', signal, asked.outcomes);
    const failure = found.find((error) => error !== undefined);
    if (failure !== undefined) throw failure;
    const bytes = await orAbort('read', signal, asked.data.bytes);
    const elements = arrayOver(this.dtype, bytes, span);
    if (!isHalf(this.dtype) && this.rowStride === (this.shape.at(-1) ?? 1)) return elements as TypedArray;
    const { unpacked } = await import('./unpacked.js');
    return unpacked(this, elements);
  }

  /**
   * Replaces the elements: `data` has the tensor's dtype (for 16-bit floats as in `ctx.tensor`) and number of elements. For targets and inputs that change from step to
   * step of a training loop. Work already submitted still sees the old elements.
   *
   * Throws `InvalidArgumentError` for another dtype or length, and for a tensor with padded rows.
   */
  write(data: TensorData): void {
    const state = usableState('write', 'the tensor', this);
    const checked = checkData('write', 'data', data, this.dtype);
    const count = elementCount(this.shape);
    if (checked.data.length !== count) {
      invalid(
        'write',
        `the tensor holds ${count} elements of ${this.dtype}, data has ${checked.data.length}.`,
        { shapes: { tensor: this.shape } },
      );
    }
    if (this.rowStride !== (this.shape.at(-1) ?? 1)) {
      invalid('write', 'the tensor has padded rows; write to its buffer instead.');
    }
    const put = (elements: TensorData): void => {
      setWork(this, deriveWork([], state.backend.upload(state.storage, elements)));
    };
    if (state.pending === 0) {
      put(checked.data);
      return;
    }
    // Calls made before see the old elements, so these wait their turn; the caller's array may change meanwhile.
    const copy = checked.data.slice();
    held([state], () => state.backend.queue.add(() => put(copy))).catch(() => undefined);
  }

  /** Frees the memory (not that of a foreign buffer). Calls made before still finish. A second call does nothing. */
  destroy(): void {
    const state = this.#state;
    if (state.destroyed) return;
    state.destroyed = true;
    if (state.pending === 0) dispose(state);
  }

  /** The same as `destroy()`: for `using`. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

/** The tensor's parts; throws `InvalidArgumentError` where it is none of ours, or destroyed. */
export function usableState(op: string, name: string, tensor: Tensor): TensorState {
  const state = access(tensor);
  if (state.destroyed) {
    invalid(op, `${name} ${formatShape(tensor.shape)} was destroyed.`, { shapes: { [name]: tensor.shape } });
  }
  return state;
}

function dispose(state: TensorState): void {
  for (const verdict of state.work.verdicts) verdict.release();
  state.backend.free(state.storage);
}

/** Keeps the memory of tensors until the promise that `work` makes has settled, even if they are destroyed meanwhile. */
export async function held<T>(states: readonly TensorState[], work: () => Promise<T>): Promise<T> {
  for (const state of states) state.pending += 1;
  try {
    return await work();
  } finally {
    for (const state of states) {
      state.pending -= 1;
      if (state.pending === 0 && state.destroyed) dispose(state);
    }
  }
}

/** Gives a tensor that was written to the story of its new contents. */
export function setWork(tensor: Tensor, work: Work): void {
  const state = access(tensor);
  if (state.work === work || (state.destroyed && state.pending === 0)) return;
  for (const verdict of work.verdicts) verdict.retain();
  for (const verdict of state.work.verdicts) verdict.release();
  state.work = work;
}

/** Throws `AbortedError` if the signal has fired, `InvalidArgumentError` if it is none. */
export function throwIfAborted(op: string, signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof signal?.aborted !== 'boolean') {
    invalid(op, 'signal must be an AbortSignal.');
  }
  if (signal?.aborted) throw aborted(op, signal);
}

export function aborted(op: string, signal: AbortSignal): AbortedError {
  return new AbortedError(`${op}: aborted by the caller's signal.`, { op, cause: signal.reason });
}

/** `promise`, or an `AbortedError` as soon as `signal` fires. */
async function orAbort<T>(op: string, signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) return promise;
  promise.catch(() => undefined);
  const { orAborted } = await import('./abort.js');
  return orAborted(op, signal, promise);
}
