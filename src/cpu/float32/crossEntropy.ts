import type { CpuArray, OutOfRange } from '../../spec.js';
import type { CrossEntropyOptions } from '../crossEntropy.js';
import { classifyTargets, OUT_OF_RANGE, prepare, upstreamOf } from '../crossEntropyCall.js';
import { newRowStats } from '../row.js';
import { eachRow, measure, peak, scaleRow } from './row.js';

/** Options of the float64 form; a softcap has no other. */
export type FastCrossEntropyOptions = Omit<CrossEntropyOptions, 'softcap'>;

/** What is written, as far as it is wanted. */
export interface CrossEntropyOutputs {
  readonly loss: CpuArray;
  /** May be the logits themselves. */
  readonly grad?: CpuArray | undefined;
  readonly logSumExp?: CpuArray | undefined;
}

/**
 * `crossEntropy` of float64 for class indices, computed for float32 results; see there for formulas and special rows. The sums over the
 * classes of a smoothed target are taken apart, with s the smoothing, C the classes and d_c = (max - x_c) / temperature:
 *
 *     loss = (1 - s) w_t (d_t + logSum) + s / C (sum_c w_c d_c + logSum sum_c w_c)
 *
 * @returns the first target out of range, if any
 */
export function crossEntropy(
  logits: CpuArray,
  targets: Int32Array | Uint32Array,
  shape: readonly number[],
  options: FastCrossEntropyOptions,
  outputs: CrossEntropyOutputs,
): OutOfRange | undefined {
  const call = prepare(logits, targets, shape, options);
  const { layout, weight, labelSmoothing, reduction, temperature, zLoss } = call;
  const { loss, grad, logSumExp } = outputs;
  const { classes } = layout;
  const indices = classifyTargets(call, targets);
  const divisor = reduction === 'mean' ? indices.weightSum : 1;
  const zDivisor = reduction === 'mean' ? indices.kept : 1;
  const kept = 1 - labelSmoothing;
  const spread = labelSmoothing / classes;
  const weightSum = spread === 0 ? 0 : sumOf(weight, classes);
  const stats = newRowStats();
  let crossSum = 0;
  let zSum = 0;

  eachRow(layout, logits, grad, (x, at, out, row) => {
    const target = indices.classes[row] as number;
    const to = at + classes;
    if (target < 0) {
      if (logSumExp) {
        measure(x, at, to, peak(x, at, to), temperature, stats);
        logSumExp[row] = stats.logSumExp;
      }
      const value = target === OUT_OF_RANGE ? Number.NaN : 0;
      if (reduction === 'none') loss[row] = value;
      crossSum += value;
      if (grad) out.fill(value, at, to);
      return;
    }
    // The logits are read before anything is written over them.
    const argmax = peak(x, at, to);
    const max = x[argmax] ?? Number.NaN;
    const gap = (max - (x[at + target] as number)) / temperature;
    const gaps = spread === 0 ? 0 : sumOfGaps(x, at, to, max, weight) / temperature;
    measure(x, at, to, argmax, temperature, stats, grad && out);
    const { rest, sum, logSum } = stats;
    const own = weight ? (weight[target] as number) : 1;
    const cross =
      (kept === 0 ? 0 : kept * own * (gap + logSum)) +
      (spread === 0 ? 0 : spread * (gaps + weightSum * logSum));
    const z = zLoss * stats.logSumExp * stats.logSumExp;
    if (logSumExp) logSumExp[row] = stats.logSumExp;
    if (reduction === 'none') loss[row] = cross + z;
    crossSum += cross;
    zSum += z;
    if (!grad) return;

    const upstream = upstreamOf(call, row);
    const scale = upstream / divisor;
    // No term at all without a z-loss: 0 times an infinite upstream gradient would be NaN.
    const zPull = zLoss === 0 ? 0 : 2 * zLoss * stats.logSumExp * (upstream / zDivisor);
    const pull = scale * (kept * own + spread * weightSum) + zPull;
    scaleRow(out, at, to, pull / (sum * temperature));
    const p = Math.exp(-gap) / sum;
    let atTarget: number;
    if (spread === 0) {
      // Next to 1, p - 1 keeps its digits as -rest / sum. And scale p - scale is NaN for any p if the scale is not finite.
      const excess = at + target === argmax ? -rest / sum : p - 1;
      atTarget = Number.isFinite(scale * own) ? scale * own * excess + zPull * p : Number.NaN;
    } else {
      subtractFrom(out, at, to, (scale * spread) / temperature, weight);
      atTarget = pull * p - scale * own * (kept + spread);
    }
    out[at + target] = atTarget / temperature;
  });
  if (reduction !== 'none') loss[0] = crossSum / divisor + zSum / zDivisor;
  return indices.outOfRange;
}

/** The sum of all class weights. */
function sumOf(weight: ArrayLike<number> | undefined, classes: number): number {
  if (!weight) return classes;
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += weight[c] as number;
  return sum;
}

/** `sum_c w_c (max - x_c)` */
function sumOfGaps(
  x: Float32Array,
  at: number,
  to: number,
  max: number,
  weight: ArrayLike<number> | undefined,
): number {
  let sum = 0;
  if (weight) for (let i = at; i < to; i++) sum += (weight[i - at] as number) * (max - (x[i] as number));
  else for (let i = at; i < to; i++) sum += max - (x[i] as number);
  return sum;
}

/** Takes `factor w_c` from each element. */
function subtractFrom(
  out: Float32Array,
  at: number,
  to: number,
  factor: number,
  weight: ArrayLike<number> | undefined,
): void {
  if (weight) for (let i = at; i < to; i++) out[i] = (out[i] as number) - factor * (weight[i - at] as number);
  else for (let i = at; i < to; i++) out[i] = (out[i] as number) - factor;
}
