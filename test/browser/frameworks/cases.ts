// What the pages compute and the tests check against the oracle: one source for both.
import { hardLogits, hardTargets, hardWeights } from '../../conformance/data.js';

export interface LossCase {
  readonly name: string;
  readonly shape: readonly number[];
  readonly logits: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  readonly options: LossOptions;
  /** What the loss is multiplied by before it is differentiated. */
  readonly factor: number;
}

interface LossOptions {
  readonly reduction?: 'mean' | 'sum';
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly temperature?: number;
  readonly softcap?: number;
  readonly zLoss?: number;
  readonly weight?: Float32Array<ArrayBuffer>;
}

/** Every option once; an odd number of classes, rows with masked classes, labels to ignore, and a batch of two dimensions. */
export const LOSS_CASES: readonly LossCase[] = [
  lossCase('as it is', [12, 10], 1, {}),
  lossCase('two dimensions, scaled', [3, 5, 7], -2.5, { reduction: 'sum', ignoreIndex: -1 }),
  lossCase('weights', [9, 10], 0.5, { weight: hardWeights(10, 5), ignoreIndex: 3 }),
  lossCase('smoothed', [8, 13], 3, { labelSmoothing: 0.1, zLoss: 1e-3 }),
  lossCase('transformed', [8, 12], 1, { temperature: 1.7, softcap: 20 }),
];

function lossCase(name: string, shape: readonly number[], factor: number, options: LossOptions): LossCase {
  const classes = shape.at(-1) as number;
  const rows = shape.reduce((product, size) => product * size, 1) / classes;
  const seed = rows + classes;
  const logits = hardLogits(rows, classes, { seed });
  // Smoothing gives every class a share: the loss of a masked one is infinite, and so is the mean.
  if (options.labelSmoothing !== undefined) logits.set(logits.map((x) => (Number.isFinite(x) ? x : -40)));
  const { ignoreIndex = -100 } = options;
  const labels = hardTargets(logits, classes, { seed, ignore: ignoreIndex, finite: true });
  return { name, shape, logits, labels, options, factor };
}

/** What comes back from a page: float32 numbers as the bits that they are, since JSON has no infinities. */
export interface LossResult {
  readonly loss: readonly number[];
  /** What `read()` gave. */
  readonly read: readonly number[];
  readonly grad: readonly number[];
}

export function bitsOf(values: ArrayLike<number>): number[] {
  return Array.from(new Uint32Array(Float32Array.from(values).buffer));
}

export function floatsOf(bits: readonly number[]): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** What is alive after some steps of training. */
export interface Alive {
  /** Arrays of the framework, or their holders where it counts those. */
  readonly arrays: number;
  /** GPU buffers created and not destroyed: those of the library, and all. */
  readonly ownBuffers: number;
  readonly buffers: number;
}

export interface Training {
  readonly losses: readonly number[];
  /** After 20 steps and after the last. */
  readonly early: Alive;
  readonly late: Alive;
}

export interface ThrownError {
  readonly name: string;
  readonly message: string;
}
