import type { CpuArray, OutOfRange } from '../../spec.js';
import type { CrossEntropyOptions } from '../crossEntropy.js';
import { classifyTargets, OUT_OF_RANGE, prepare, upstreamOf } from '../crossEntropyCall.js';
import { rowStart } from '../row.js';
import { logSumExpFrom } from './logSumExp.js';
import type { RowMachine } from './rows.js';

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
  machine: RowMachine,
  logits: CpuArray,
  targets: Int32Array | Uint32Array,
  shape: readonly number[],
  options: FastCrossEntropyOptions,
  outputs: CrossEntropyOutputs,
): OutOfRange | undefined {
  const call = prepare(logits, targets, shape, options);
  const { layout, weight, labelSmoothing, reduction, temperature, zLoss } = call;
  const { loss, grad, logSumExp } = outputs;
  const { classes, inner } = layout;
  const indices = classifyTargets(call, targets);
  const divisor = reduction === 'mean' ? indices.weightSum : 1;
  const zDivisor = reduction === 'mean' ? indices.kept : 1;
  const kept = 1 - labelSmoothing;
  const spread = labelSmoothing / classes;
  const weightSum = spread === 0 ? 0 : sumOf(weight, classes);
  let crossSum = 0;
  let zSum = 0;

  machine.eachBlock(layout, logits, grad, (block) => {
    const { first, rows, facts, out } = block;
    const scored = indices.classes.subarray(first, first + rows).some((target) => target >= 0);
    if (scored || logSumExp) block.measure(temperature, grad !== undefined && scored);
    for (let k = 0; k < rows; k++) {
      const row = first + k;
      const max = facts[2 * k] as number;
      const rest = facts[2 * k + 1] as number;
      const logSum = Math.log1p(rest);
      const lse = logSumExpFrom(max, logSum, temperature);
      if (logSumExp) logSumExp[row] = lse;
      const target = indices.classes[row] as number;
      if (target < 0) {
        const value = target === OUT_OF_RANGE ? Number.NaN : 0;
        if (reduction === 'none') loss[row] = value;
        crossSum += value;
        facts[2 * k] = 0;
        facts[2 * k + 1] = value;
        continue;
      }
      const start = rowStart(layout, row);
      const gap = (max - (logits[start + target * inner] as number)) / temperature;
      const gaps = spread === 0 ? 0 : sumOfGaps(logits, start, inner, classes, max, weight) / temperature;
      const own = weight ? (weight[target] as number) : 1;
      const cross =
        (kept === 0 ? 0 : kept * own * (gap + logSum)) +
        (spread === 0 ? 0 : spread * (gaps + weightSum * logSum));
      const z = zLoss * lse * lse;
      if (reduction === 'none') loss[row] = cross + z;
      crossSum += cross;
      zSum += z;
      if (!grad) continue;

      const upstream = upstreamOf(call, row);
      const scale = upstream / divisor;
      // No term at all without a z-loss: 0 times an infinite upstream gradient would be NaN.
      const zPull = zLoss === 0 ? 0 : 2 * zLoss * lse * (upstream / zDivisor);
      const pull = scale * (kept * own + spread * weightSum) + zPull;
      const sum = 1 + rest;
      const p = (out[block.at + k * classes + target] as number) / sum;
      let atTarget: number;
      if (spread === 0) {
        // Next to 1, p - 1 keeps its digits as -rest / sum. And scale p - scale is NaN for any p if the scale is not finite.
        const excess = gap === 0 ? -rest / sum : p - 1;
        atTarget = Number.isFinite(scale * own) ? scale * own * excess + zPull * p : Number.NaN;
      } else {
        atTarget = pull * p - scale * own * (kept + spread);
      }
      facts[2 * k] = pull / (sum * temperature);
      facts[2 * k + 1] = atTarget / temperature;
    }
    if (!grad) return;

    if (scored) block.scale();
    for (let k = 0, at = block.at; k < rows; k++, at += classes) {
      const row = first + k;
      const target = indices.classes[row] as number;
      const value = facts[2 * k + 1] as number;
      if (target < 0) {
        out.fill(value, at, at + classes);
        continue;
      }
      if (spread !== 0) {
        const scale = upstreamOf(call, row) / divisor;
        subtractFrom(out, at, at + classes, (scale * spread) / temperature, weight);
      }
      out[at + target] = value;
    }
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

/** `sum_c w_c (max - x_c)` of the row whose classes are `inner` elements apart from `start` on. */
function sumOfGaps(
  x: CpuArray,
  start: number,
  inner: number,
  classes: number,
  max: number,
  weight: ArrayLike<number> | undefined,
): number {
  let sum = 0;
  for (let c = 0, i = start; c < classes; c++, i += inner) {
    const gap = max - (x[i] as number);
    sum += weight ? (weight[c] as number) * gap : gap;
  }
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
