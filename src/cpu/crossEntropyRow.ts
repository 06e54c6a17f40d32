import type { CrossEntropyCall } from './crossEntropyCall.js';
import { measureRow, newRowStats, type RowStats, readRow } from './row.js';
import { divideRow, softcapRow } from './transform.js';

/** Buffers of one row, `[classes]` each, used for row after row. */
export interface RowWork {
  /** Logits after temperature and softcap. */
  readonly logits: Float64Array;
  /** Derivative of the softcap at each logit; unused without one. */
  readonly slopes: Float64Array;
  /** `exp(logit - max)`. */
  readonly exps: Float64Array;
  readonly stats: RowStats;
  /** The target distribution after smoothing; unused for plain class indices. */
  readonly probs: Float64Array;
  readonly grad: Float64Array;
}

export function newRowWork(classes: number): RowWork {
  return {
    logits: new Float64Array(classes),
    slopes: new Float64Array(classes),
    exps: new Float64Array(classes),
    stats: newRowStats(),
    probs: new Float64Array(classes),
    grad: new Float64Array(classes),
  };
}

/** Reads the logits of row `r`, transforms and measures them. */
export function loadLogits(call: CrossEntropyCall, r: number, work: RowWork): void {
  readRow(call.logits, call.layout, r, work.logits);
  divideRow(work.logits, call.temperature);
  if (call.softcap !== undefined) softcapRow(work.logits, call.softcap, work.slopes);
  measureRow(work.logits, work.exps, work.stats);
}

/** The target distribution of row `r`: `(1 - s) q + s / classes`, `q` being one-hot at `target` for class indices. */
export function loadTargets(call: CrossEntropyCall, r: number, target: number, work: RowWork): void {
  const { probs, labelSmoothing, layout } = call;
  const q = work.probs;
  const kept = 1 - labelSmoothing;
  const spread = labelSmoothing / layout.classes;
  if (!probs) {
    q.fill(spread);
    q[target] = kept + spread;
    return;
  }
  readRow(probs, layout, r, q);
  if (labelSmoothing === 0) return;
  for (let c = 0; c < q.length; c++) q[c] = kept * (q[c] as number) + spread;
}

/** `-w log p_target`. */
export function indexLoss(target: number, targetWeight: number, work: RowWork): number {
  const { max, logSum } = work.stats;
  return targetWeight * (max - (work.logits[target] as number) + logSum);
}

/** `-sum_c w_c q_c log p_c`, with `0 log 0 = 0`. */
export function denseLoss(weight: ArrayLike<number> | undefined, work: RowWork): number {
  const { logits, probs } = work;
  const { max, logSum } = work.stats;
  let loss = 0;
  for (let c = 0; c < probs.length; c++) {
    const q = probs[c] as number;
    const surprise = max - (logits[c] as number) + logSum;
    if (q === 0 && surprise === Number.POSITIVE_INFINITY) continue;
    loss += (weight ? (weight[c] as number) * q : q) * surprise;
  }
  return loss;
}

/**
 * `scale (p_c - [c = target]) + zPull p_c`.
 *
 * Where the target is the maximum, `p - 1` is `-rest / sum`: it keeps its digits when `p` is next to 1.
 */
export function indexGradient(target: number, scale: number, zPull: number, work: RowWork): void {
  const { exps, grad } = work;
  const { argmax, rest, sum } = work.stats;
  const pull = scale + zPull;
  for (let c = 0; c < grad.length; c++) grad[c] = pull * ((exps[c] as number) / sum);
  const p = (exps[target] as number) / sum;
  const excess = target === argmax ? -rest / sum : p - 1;
  // scale p - scale is NaN for any p if the scale is not finite; the factored form would hide that.
  grad[target] = Number.isFinite(scale) ? scale * excess + zPull * p : Number.NaN;
}

/** `scale (p_c sum_k w_k q_k - w_c q_c) + zPull p_c`. */
export function denseGradient(
  weight: ArrayLike<number> | undefined,
  scale: number,
  zPull: number,
  work: RowWork,
): void {
  const { exps, probs, grad } = work;
  const { sum } = work.stats;
  let mass = 0;
  for (let c = 0; c < probs.length; c++) {
    mass += weight ? (weight[c] as number) * (probs[c] as number) : (probs[c] as number);
  }
  const pull = scale * mass + zPull;
  for (let c = 0; c < grad.length; c++) {
    const share = weight ? (weight[c] as number) * (probs[c] as number) : (probs[c] as number);
    grad[c] = pull * ((exps[c] as number) / sum) - scale * share;
  }
}

/** From the gradient of the transformed logits to that of the logits themselves. */
export function chainGradient(call: CrossEntropyCall, work: RowWork): void {
  const { grad, slopes } = work;
  if (call.softcap !== undefined) {
    for (let c = 0; c < grad.length; c++) grad[c] = (grad[c] as number) * (slopes[c] as number);
  }
  divideRow(grad, call.temperature);
}

/** Gradient with respect to the given probabilities, `-scale w_c log p_c`. */
export function targetGradient(weight: ArrayLike<number> | undefined, scale: number, work: RowWork): void {
  const { logits, grad } = work;
  const { max, logSum } = work.stats;
  for (let c = 0; c < grad.length; c++) {
    const surprise = max - (logits[c] as number) + logSum;
    grad[c] = scale * (weight ? (weight[c] as number) : 1) * surprise;
  }
}
