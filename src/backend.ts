import type { DType, TensorData } from './dtype.js';
import type { DeviceLostError, LossError } from './errors.js';
import type { AdapterFacts } from './info.js';
import type { PassSummary } from './plan/plan.js';
import type { Policy } from './plan/policy.js';
import type { Queue } from './queue.js';
import type { Spec } from './spec.js';
import type { Work } from './work.js';

/** Elements in a GPU buffer. `owned`: ours to destroy. */
export interface GpuStorage {
  readonly buffer: GPUBuffer;
  readonly byteOffset: number;
  readonly owned: boolean;
}

/** Elements in memory, in whole words. */
export interface CpuStorage {
  readonly memory: ArrayBuffer;
}

export type Storage = GpuStorage | CpuStorage;

/** A tensor as a backend sees it. */
export interface Operand {
  readonly storage: Storage;
  readonly work: Work;
}

/** What a call binds, by role. */
export type Operands = Readonly<Record<string, Operand>>;

/** What a caller of `run` wants to know. */
export interface RunHooks {
  /** Called right before the work is submitted; may throw to prevent it. */
  readonly ready: () => void;
  /** Called with what is written, in the moment the work is submitted. */
  readonly deliver: (outputs: Operands) => void;
}

/** Elements on their way to the host: the bytes, and what the device said of the copy. Neither promise is left to reject unheard. */
export interface Download {
  readonly failure: Promise<LossError | undefined>;
  readonly bytes: Promise<ArrayBuffer>;
}

/** A spec made ready to run again and again. */
export interface Executable {
  readonly passes: readonly PassSummary[];
  readonly scratchBytes: number;
  /** Runs (CPU) or records (GPU) the work on these operands. Gives the work of the outputs. */
  encode(encoder: GPUCommandEncoder | GPUComputePassEncoder | undefined, operands: Operands): Work;
  /** Frees what is kept for operands that have not been met lately. */
  trim(): void;
  destroy(): void;
}

/** Where specs run. Ops and tensors know no more of a device than this. */
export interface Backend {
  readonly facts: AdapterFacts;
  /** Whether its results have the same bits on every adapter. */
  readonly reproducible: boolean;
  readonly device: GPUDevice | undefined;
  readonly lost: Promise<DeviceLostError>;
  /** What is asked of the context waits here for its turn, until it is submitted. */
  readonly queue: Queue;
  /**
   * The wishes of a call on top of those of its context. Throws `InvalidArgumentError` for what cannot be granted. Here, so that the policy is
   * loaded with the backend.
   */
  wishes(op: string, own: Partial<Policy> | undefined, base: Partial<Policy>): Partial<Policy>;
  /** Throws `DeviceLostError` or `InvalidArgumentError` once the device is gone or the context destroyed. */
  check(op: string): void;
  /** Memory for `bytes` bytes. */
  allocate(op: string, bytes: number): Operand;
  /** Copies `data` in; resolves with what the device said. */
  upload(storage: Storage, data: TensorData): Promise<LossError | undefined>;
  download(storage: Storage, bytes: number): Download;
  free(storage: Storage): void;
  /** Takes a caller's buffer, after checking that it can hold the elements from `byteOffset`. */
  adopt(op: string, buffer: GPUBuffer, byteOffset: number, elements: number, dtype: DType): Operand;
  /**
   * Runs a spec once, after all that was asked of the context before; allocates the roles that are outputs. Nothing is submitted if
   * it rejects.
   */
  run(spec: Spec, wishes: Partial<Policy>, inputs: Operands, hooks: RunHooks): Promise<void>;
  plan(spec: Spec, wishes: Partial<Policy>): Promise<Executable>;
  destroy(): void;
}
