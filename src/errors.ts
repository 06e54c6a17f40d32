import type { AdapterFacts } from './info.js';

/** What an error knows about the call that failed. */
export interface ErrorDetails {
  /** The operation, as the caller wrote it: `crossEntropy`, `Tensor.read`, … */
  readonly op?: string;
  /** Shapes of the tensors involved, by their role. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** The adapter the work ran on. */
  readonly adapter?: AdapterFacts;
  /** The error underneath, as the runtime reported it. */
  readonly cause?: unknown;
}

/**
 * Base of every error this library throws or rejects with.
 *
 * `instanceof LossError` is also true for `TargetOutOfRangeError`, whose class chain runs through `RangeError`.
 */
export class LossError extends Error {
  /** The name of the class, also where a bundler has renamed it. */
  override name = 'LossError';
  /** The operation, as the caller wrote it: `crossEntropy`, `read`, …; empty where there was none. */
  readonly op: string;
  /** Shapes of the tensors involved, by their role; empty where they do not matter. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** The adapter that the work ran on, where it is known. */
  readonly adapter: AdapterFacts | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.op = details.op ?? '';
    this.shapes = details.shapes ?? {};
    this.adapter = details.adapter;
  }

  /** Makes `instanceof LossError` true for `TargetOutOfRangeError`, too. */
  static override [Symbol.hasInstance](this: unknown, value: unknown): boolean {
    const inChain = Function.prototype[Symbol.hasInstance];
    // biome-ignore lint/complexity/noThisInStatic: the subclasses inherit this method, each to test for itself.
    return inChain.call(this, value) || (this === LossError && inChain.call(TargetOutOfRangeError, value));
  }
}

/** A shape, size, dtype, option, or tensor that the call cannot take. Thrown before anything is submitted. */
export class InvalidArgumentError extends LossError {
  override name = 'InvalidArgumentError';
}

/** Throws `InvalidArgumentError`: `op` and what is wrong with its call. */
export function invalid(op: string, what: string, details: Omit<ErrorDetails, 'op'> = {}): never {
  throw new InvalidArgumentError(`${op}: ${what}`, { ...details, op });
}

/** The call is meaningful, but larger than this adapter's limits allow. */
export class LimitExceededError extends LossError {
  override name = 'LimitExceededError';
}

/** The device could not allocate the memory. */
export class OutOfMemoryError extends LossError {
  override name = 'OutOfMemoryError';
}

/** WebGPU rejected the work; a fault in this library, or in a buffer that was handed to it. */
export class ValidationError extends LossError {
  override name = 'ValidationError';
}

/**
 * A shader did not compile. The message holds the compiler's messages and the variant's name, `source` the WGSL: in the package without
 * comments and with short names, in a clone, imported from `src`, as it is written.
 */
export class CompileError extends LossError {
  override name = 'CompileError';
  /** The WGSL that did not compile. */
  readonly source: string;

  constructor(message: string, details: ErrorDetails & { readonly source: string }) {
    super(message, details);
    this.source = details.source;
  }
}

/** The GPU device is gone: the driver reset, the tab was suspended, or it was destroyed. */
export class DeviceLostError extends LossError {
  override name = 'DeviceLostError';
  /** `'destroyed'`: by `destroy()`, of the context or of the device. */
  readonly reason: 'destroyed' | 'unknown';

  constructor(message: string, details: ErrorDetails & { readonly reason: 'destroyed' | 'unknown' }) {
    super(message, details);
    this.reason = details.reason;
  }
}

/** No WebGPU, or no adapter, where one was asked for. */
export class WebGpuUnavailableError extends LossError {
  override name = 'WebGpuUnavailableError';
}

/** The caller's `AbortSignal` fired. */
export class AbortedError extends LossError {
  override name = 'AbortedError';
}

/** A class index outside `[0, classes)` that is not `ignoreIndex`. Names the first such row. Also a `RangeError`. */
export class TargetOutOfRangeError extends RangeError implements LossError {
  override name = 'TargetOutOfRangeError';
  readonly op: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly adapter: AdapterFacts | undefined;
  /** The first row whose target is out of range. */
  readonly row: number;
  /** The target found there. */
  readonly value: number;
  /** How many classes there are. */
  readonly classes: number;

  constructor(
    found: {
      readonly row: number;
      readonly value: number;
      readonly classes: number;
      /** Whether the op has an `ignoreIndex`. Default true. */
      readonly ignorable?: boolean;
    },
    details: ErrorDetails = {},
  ) {
    const { row, value, classes, ignorable = true } = found;
    super(
      `${details.op ?? 'crossEntropy'}: the target of row ${row} is ${value}, outside [0, ${classes}). ` +
        'Give a class index in that range' +
        (ignorable
          ? ', or set ignoreIndex to that value if the row is not to count. Rows with a bad target hold NaN; their neighbours are right.'
          : '.'),
    );
    this.op = details.op ?? 'crossEntropy';
    this.shapes = details.shapes ?? {};
    this.adapter = details.adapter;
    this.row = row;
    this.value = value;
    this.classes = classes;
  }
}
