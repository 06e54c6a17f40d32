// What is measured on what. Nothing under bench/measure needs Node: it runs in pages, too.

import type { FloatDType, PassSummary } from 'webgpu-loss';

/**
 * What is timed, under the names of the library; `crossEntropy` is the loss alone, `crossEntropyGrad` loss and gradient, and so for
 * `linearCrossEntropy`. `matMul` is the product hidden · weightᵀ alone, which the library has for itself and does not export.
 */
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
  | 'logitStats'
  | 'linearCrossEntropy'
  | 'linearCrossEntropyGrad'
  | 'matMul';

/** What is done on what: one line of a bench. */
export interface Case {
  readonly op: OpName;
  readonly rows: number;
  /** Of a hidden state, where the logits are those of a linear layer; no other op has them. */
  readonly features?: number | undefined;
  readonly classes: number;
  /** Of the logits, of what has their shape, and of the operands of a linear layer; what has one value a row is f32 or i32. */
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
  /** The `gradFilter` of its gradients, where it has one: they are compared with exact ones that leave out the same. */
  readonly gradFilter?: number;
  /** Everything that is done once: uploads, compiles, runs it once and waits for that. Undefined where it cannot do the case. */
  prepare(of: Case, data: CaseData): Promise<Prepared | undefined>;
}

/** Thrown by `prepare` where a contender does the case, but not here, or not now: told in its row, and no failure. */
export class LeftOut extends Error {
  override name = 'LeftOut';
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
  /** Bytes of GPU memory that it holds besides inputs and results, where they are known. */
  readonly scratchBytes?: number;
}
