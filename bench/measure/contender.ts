// What is measured on what. Nothing under bench/measure needs Node: it runs in pages, too.

import type { FloatDType, PassSummary } from 'webgpu-loss';

/** The operations that are timed, under the names of the library; `crossEntropy` is the loss alone, `crossEntropyGrad` loss and gradient. */
export type OpName =
  | 'softmax'
  | 'logSoftmax'
  | 'logSumExp'
  | 'crossEntropy'
  | 'crossEntropyGrad'
  | 'softmaxGrad'
  | 'logSoftmaxGrad'
  | 'logSumExpGrad'
  | 'nllLoss'
  | 'entropy'
  | 'binaryCrossEntropy'
  | 'klDivergence'
  | 'logitStats';

/** What is done on what: one line of a bench. */
export interface Case {
  readonly op: OpName;
  readonly rows: number;
  readonly classes: number;
  /** Of everything that has one value for each element; what has one a row is f32 or i32. */
  readonly dtype: FloatDType;
}

/** The inputs of a case by name. 16-bit floats are rounded already: their conversion is exact. */
export interface CaseData {
  readonly seed: number;
  readonly inputs: Readonly<Record<string, Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>>;
}

/** The results of one execution by name, with the names of the plans: `output`, `loss`, `grad`, … */
export type Results = Readonly<Record<string, ArrayLike<number>>>;

/** One way to do a case: ours under some policy, a naive kernel, a peer, the copy. */
export interface Contender {
  readonly name: string;
  /** Everything that is done once: uploads, compiles, runs it once and waits for that. Undefined where it cannot do the case. */
  prepare(of: Case, data: CaseData): Promise<Prepared | undefined>;
}

export interface Prepared {
  /** Encodes and submits the work `times` times. */
  submit(times: number): void | Promise<void>;
  /** Resolves when everything submitted is done. */
  done(): Promise<void>;
  /** The results of one execution, for the check against the float64 oracle; undefined for what has none, as the copy. */
  results(): Promise<Results | undefined>;
  destroy(): void;
  /**
   * Records one execution into a pass of `device`: what has it can be timed by the clock of the GPU. What keeps an encoder of
   * its own, as frameworks do, has none.
   */
  readonly gpu?: { readonly device: GPUDevice; encode(pass: GPUComputePassEncoder): void };
  /** Milliseconds from the first call to its results: compiling, allocating, running. */
  readonly firstCallMs?: number;
  /** What runs, where it is known. */
  readonly passes?: readonly PassSummary[];
}
