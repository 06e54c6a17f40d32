import { classifyTargets, IGNORED, OUT_OF_RANGE, prepare, upstreamOf } from './crossEntropyCall.js';
import {
  chainGradient,
  denseGradient,
  denseLoss,
  indexGradient,
  indexLoss,
  loadLogits,
  loadTargets,
  newRowWork,
  targetGradient,
} from './crossEntropyRow.js';
import { writeRow } from './row.js';

/** What becomes of one value a row: kept, averaged, or added up. */
export type Reduction = 'none' | 'mean' | 'sum';

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /** The class axis; negative counts from the back. Default -1. */
  readonly axis?: number | undefined;
  /** Per-class weights, `[classes]`. */
  readonly weight?: ArrayLike<number> | undefined;
  /** Rows whose class index equals it contribute nothing. Default -100. Class indices only. */
  readonly ignoreIndex?: number | undefined;
  /** Share of the target spread evenly over all classes, in [0, 1]. Default 0. */
  readonly labelSmoothing?: number | undefined;
  /** Default 'mean'. */
  readonly reduction?: Reduction | undefined;
  /** Logits are divided by it first; finite and above 0. Default 1. */
  readonly temperature?: number | undefined;
  /** Then `softcap * tanh(x / softcap)`; finite and above 0. Default: not capped. */
  readonly softcap?: number | undefined;
  /** Adds `zLoss * logSumExp(x)^2` to each row that counts; finite. Default 0. */
  readonly zLoss?: number | undefined;
  /** Also the gradient of the (reduced) loss. Default false. */
  readonly grad?: boolean | undefined;
  /** Upstream gradient: a number, or for 'none' one value a row. Default 1. */
  readonly gradOutput?: number | ArrayLike<number> | undefined;
}

/** What `crossEntropy` gives. */
export interface CrossEntropyResult {
  /** In nats: one value a row for 'none', otherwise one value. */
  readonly loss: Float64Array;
  /** With respect to the logits, their shape. */
  readonly grad?: Float64Array;
  /** With respect to probability targets, their shape. */
  readonly gradTargets?: Float64Array;
  /** Of the logits after temperature and softcap; one value a row, ignored rows too. */
  readonly logSumExp: Float64Array;
  /** The first row whose class index is neither in `[0, classes)` nor `ignoreIndex`. */
  readonly outOfRange?: {
    /** Counted from 0 over all rows. */
    readonly row: number;
    /** The index found there. */
    readonly value: number;
  };
}

/**
 * Cross-entropy of `softmax(logits)` relative to the targets, and its gradient, in float64.
 *
 * Per row, with `x` the logits after temperature and softcap, `q` the target distribution after smoothing (one-hot
 * for a class index) and `w` the class weights,
 *
 *     loss = sum_c w_c q_c ((max - x_c) + log sum_k exp(x_k - max)) + zLoss logSumExp(x)^2
 *
 * which is `-sum_c w_c q_c log p_c` without its cancellation: a loss of 1e-20 keeps its digits. A mean divides by the
 * sum of the targets' class weights (class indices) or by the number of rows (probabilities), and the z-loss by the
 * number of rows that count.
 *
 * Special rows are those of PyTorch's `cross_entropy`, except where said:
 * - an ignored row has loss and gradient exactly 0, whatever it holds (PyTorch: a NaN gradient if it holds one);
 * - `q_c = 0` at a logit of -Infinity contributes 0 (PyTorch: NaN), any other `q_c` there `w_c q_c Infinity`;
 * - a row with a NaN or +Infinity, or with nothing but -Infinity, is NaN;
 * - a class index out of range makes its row NaN, is named in `outOfRange` and counts in no mean (PyTorch raises);
 * - an infinite upstream gradient gives NaN where the target is, as `g p - g` does, and `g p` elsewhere;
 * - a mean over no row is NaN.
 *
 * @param logits dense, row-major values of `shape`
 * @param targets class indices (`Int32Array`, `Uint32Array`), one a row; or probabilities (`Float32Array`,
 *   `Float64Array`), values of `shape`, that need not sum to 1
 * @throws InvalidArgumentError if an array does not fit `shape`, or an option is not usable
 */
export function crossEntropy(
  logits: ArrayLike<number>,
  targets: Int32Array | Uint32Array | Float32Array | Float64Array,
  shape: readonly number[],
  options: CrossEntropyOptions = {},
): CrossEntropyResult {
  const call = prepare(logits, targets, shape, options);
  const { layout, weight, labelSmoothing, zLoss } = call;
  const { classes, rows } = layout;
  const indices = call.indices && classifyTargets(call, call.indices);
  const sparse = indices !== undefined && labelSmoothing === 0;
  const isMean = call.reduction === 'mean';
  const divisor = isMean ? (indices?.weightSum ?? rows) : 1;
  const zDivisor = isMean ? (indices?.kept ?? rows) : 1;

  const perRow = new Float64Array(rows);
  const lse = new Float64Array(rows);
  const grad = options.grad ? new Float64Array(logits.length) : undefined;
  const gradTargets = grad && call.probs ? new Float64Array(logits.length) : undefined;
  const work = newRowWork(classes);
  let crossSum = 0;
  let zSum = 0;

  for (let r = 0; r < rows; r++) {
    loadLogits(call, r, work);
    lse[r] = work.stats.logSumExp;
    const target = indices ? (indices.classes[r] as number) : 0;
    if (target === IGNORED) continue;
    if (target === OUT_OF_RANGE) {
      perRow[r] = Number.NaN;
      crossSum = Number.NaN;
      if (grad) {
        work.grad.fill(Number.NaN);
        writeRow(work.grad, layout, r, grad);
      }
      continue;
    }
    const targetWeight = weight ? (weight[target] as number) : 1;
    if (!sparse) loadTargets(call, r, target, work);
    const cross = sparse ? indexLoss(target, targetWeight, work) : denseLoss(weight, work);
    const z = zLoss * work.stats.logSumExp * work.stats.logSumExp;
    perRow[r] = cross + z;
    crossSum += cross;
    zSum += z;
    if (!grad) continue;

    const upstream = upstreamOf(call, r);
    const scale = upstream / divisor;
    // No term at all without a z-loss: 0 times an infinite upstream gradient would be NaN.
    const zPull = zLoss === 0 ? 0 : 2 * zLoss * work.stats.logSumExp * (upstream / zDivisor);
    if (sparse) indexGradient(target, scale * targetWeight, zPull, work);
    else denseGradient(weight, scale, zPull, work);
    chainGradient(call, work);
    writeRow(work.grad, layout, r, grad);
    if (gradTargets) {
      targetGradient(weight, scale * (1 - labelSmoothing), work);
      writeRow(work.grad, layout, r, gradTargets);
    }
  }

  return {
    loss: call.reduction === 'none' ? perRow : Float64Array.of(crossSum / divisor + zSum / zDivisor),
    logSumExp: lse,
    ...(grad && { grad }),
    ...(gradTargets && { gradTargets }),
    ...(indices?.outOfRange && { outOfRange: indices.outOfRange }),
  };
}
