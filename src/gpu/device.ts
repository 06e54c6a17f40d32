import { DeviceLostError, invalid, type LossError, OutOfMemoryError, ValidationError } from '../errors.js';
import type { AdapterFacts } from '../info.js';
import { Pipelines } from './pipelines.js';

/** Submissions that may wait for the device before the next op call waits for them: bounds the memory of results nobody reads. */
const MOST_IN_FLIGHT = 32;

/** How long the loss of a device may be told after its first effects, in milliseconds. */
const PATIENCE = 500;

/** A GPUDevice with what the specification leaves to its users: latched loss, errors tied to the work that caused them. */
export class LossDevice {
  readonly device: GPUDevice;
  readonly facts: AdapterFacts;
  readonly pipelines: Pipelines;
  readonly lost: Promise<DeviceLostError>;
  #lostError: DeviceLostError | undefined;
  #closed = false;
  #inFlight: Promise<unknown>[] = [];

  constructor(device: GPUDevice, facts: AdapterFacts) {
    this.device = device;
    this.facts = facts;
    this.pipelines = new Pipelines(device, facts);
    // A destroyed device goes on accepting work in silence, so its loss is kept here and asked before each call.
    this.lost = device.lost.then((info) => {
      this.#lostError = new DeviceLostError(
        `the GPU device was lost (${info.reason || 'unknown'}): ${info.message || 'no reason given'}. ` +
          'Tensors on it are gone; make a new context with createContext().',
        {
          op: 'device',
          adapter: facts,
          cause: info,
          reason: info.reason === 'destroyed' ? 'destroyed' : 'unknown',
        },
      );
      return this.#lostError;
    });
  }

  /** Throws if nothing can be run any more. */
  check(op: string): void {
    if (this.#lostError !== undefined) throw this.#lostError;
    if (this.#closed) {
      invalid(op, 'the context was destroyed; make a new context with createContext().');
    }
  }

  /** The loss of the device, if it comes within a moment. */
  lossSoon(): Promise<DeviceLostError | undefined> {
    const moment = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE));
    return Promise.race([this.lost, moment]);
  }

  close(): void {
    this.#closed = true;
  }

  /**
   * Runs `work`, which must not await, and gives its result with what the device says of it. The scopes are pushed and popped in one
   * go: an await in between would give this work's errors to another call.
   */
  scoped<T>(
    op: string,
    work: () => T,
  ): { readonly result: T; readonly failure: Promise<LossError | undefined> } {
    const { device } = this;
    device.pushErrorScope('internal');
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    let result: T;
    let scopes: Promise<GPUError | null>[];
    try {
      result = work();
    } finally {
      scopes = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()];
      for (const scope of scopes) scope.catch(() => undefined);
    }
    return { result, failure: this.#outcome(op, scopes) };
  }

  async #outcome(op: string, scopes: readonly Promise<GPUError | null>[]): Promise<LossError | undefined> {
    const details = { op, adapter: this.facts };
    try {
      const [validation, memory, internal] = await Promise.all(scopes);
      if (this.#lostError !== undefined) return this.#lostError;
      if (memory) {
        return new OutOfMemoryError(
          `${op}: the device is out of memory (${memory.message}). Destroy tensors that are no longer needed, or split the batch.`,
          { ...details, cause: memory },
        );
      }
      const other = validation ?? internal;
      if (other) {
        return new ValidationError(`${op}: the device refused the work: ${other.message}`, {
          ...details,
          cause: other,
        });
      }
      return undefined;
    } catch (cause) {
      // Scopes reject only when the device is gone.
      return (await this.lossSoon()) ?? gone(op, this.facts, cause);
    }
  }

  /** Waits while too many submissions are under way. */
  async throttle(): Promise<void> {
    while (this.#inFlight.length >= MOST_IN_FLIGHT) await this.#inFlight[0];
  }

  /** Submits, and counts the submission until the device has done it. */
  submit(commands: GPUCommandBuffer): void {
    this.device.queue.submit([commands]);
    const done: Promise<unknown> = this.device.queue
      .onSubmittedWorkDone()
      .catch(() => undefined)
      .then(() => {
        this.#inFlight = this.#inFlight.filter((other) => other !== done);
      });
    this.#inFlight.push(done);
  }
}

/** The error for a device that no longer answers, though its loss was not reported. */
function gone(op: string, facts: AdapterFacts, cause: unknown): DeviceLostError {
  return new DeviceLostError(
    `${op}: the GPU device stopped answering; make a new context with createContext().`,
    {
      op,
      adapter: facts,
      cause,
      reason: 'unknown',
    },
  );
}
