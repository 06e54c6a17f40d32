import type { CrossEntropyOptions } from '../../src/cpu.js';
import {
  chainBound,
  type DenseTarget,
  denseGradientBound,
  denseLossBound,
  denseTarget,
  divisorError,
  type GradScale,
  indexGradientBound,
  indexLossBound,
  meanBound,
  scaleError,
  sumBound,
  targetGradientBound,
  zGradientBound,
  zLossBound,
} from '../support/bounds.js';
import type { CaseRows } from './rows.js';

export interface CrossEntropyBounds {
  /** By row for 'none'; otherwise the one bound of the reduced loss. */
  readonly loss: (i: number) => number;
  /** By element of the logits. */
  readonly grad: (i: number) => number;
  readonly gradTargets: (i: number) => number;
}

/** The bounds of one cross-entropy call: what each row adds, and what the reduction and the scale add to that. */
export function crossEntropyBounds(
  rows: CaseRows,
  targets: ArrayLike<number>,
  options: CrossEntropyOptions,
): CrossEntropyBounds {
  const { layout } = rows;
  const { weight, labelSmoothing = 0, ignoreIndex = -100, zLoss = 0, gradOutput = 1 } = options;
  const reduction = options.reduction ?? 'mean';
  const byIndex = targets instanceof Int32Array || targets instanceof Uint32Array;
  const isKept = (r: number): boolean => !byIndex || targets[r] !== ignoreIndex;

  const kept: number[] = [];
  for (let r = 0; r < layout.rows; r++) if (isKept(r)) kept.push(r);
  const weightOf = (r: number): number => (byIndex && weight ? (weight[targets[r] as number] as number) : 1);
  const weights = kept.map(weightOf);
  const divisor = byIndex ? weights.reduce((sum, w) => sum + w, 0) : layout.rows;
  const divisorOff = byIndex && weight ? divisorError(weights, rows.kernel) : 0;

  const sparse = byIndex && labelSmoothing === 0;
  const made: DenseTarget[] = [];
  const dense = (r: number): DenseTarget => {
    const known = made[r];
    if (known) return known;
    const oneHot = new Float64Array(layout.classes);
    if (byIndex) oneHot[targets[r] as number] = 1;
    const target = denseTarget(byIndex ? oneHot : rows.read(targets, r), { weight, labelSmoothing });
    made[r] = target;
    return target;
  };

  const isMean = reduction === 'mean';
  const upstream = (r: number): number =>
    typeof gradOutput === 'number' ? gradOutput : (gradOutput[r] as number);
  const scaleOf = (r: number, by: number, divisorError: number, factor = 1, weighted = false): GradScale => ({
    scale: (upstream(r) * factor) / (isMean ? by : 1),
    error: scaleError({ upstream: upstream(r), weighted, mean: isMean, divisorError }),
  });

  /** Cross-entropy alone and z-loss alone: a mean divides them by different numbers. */
  const rowBound = (r: number): number => {
    const row = rows.row(r);
    return sparse ? indexLossBound(row, targets[r] as number, weightOf(r)) : denseLossBound(row, dense(r));
  };
  const rowLoss = (r: number): number => {
    const { logits, stats } = rows.row(r);
    const surprise = (c: number): number => stats.max - (logits[c] as number) + stats.logSum;
    if (sparse) return weightOf(r) * surprise(targets[r] as number);
    let loss = 0;
    dense(r).masses.forEach((mass, c) => {
      if (mass !== 0) loss += mass * surprise(c);
    });
    return loss;
  };
  const zBound = (r: number): number => (zLoss === 0 ? 0 : zLossBound(rows.row(r), zLoss));
  const zValue = (r: number): number => (zLoss === 0 ? 0 : zLoss * rows.row(r).stats.logSumExp ** 2);

  return {
    loss(i) {
      if (reduction === 'none')
        return isKept(i) ? rowBound(i) + zBound(i) + roundOf(rowLoss(i), zValue(i), zLoss) : 0;
      const losses = kept.map(rowLoss);
      const bounds = kept.map(rowBound);
      const zs = kept.map(zValue);
      const zBounds = kept.map(zBound);
      if (!isMean) return sumBound(losses, bounds, rows.kernel) + sumBound(zs, zBounds, rows.kernel);
      return (
        meanBound(losses, bounds, divisor, divisorOff, rows.kernel) +
        (zLoss === 0 ? 0 : meanBound(zs, zBounds, kept.length, 0, rows.kernel))
      );
    },
    grad(i) {
      const r = rows.rowOf(i);
      if (!isKept(r)) return 0;
      const c = rows.classOf(i);
      const row = rows.row(r);
      const p = row.probs[c] as number;
      let bound: number;
      let value: number;
      if (sparse) {
        const target = targets[r] as number;
        const by = scaleOf(r, divisor, divisorOff, weightOf(r), weight !== undefined);
        bound = indexGradientBound(row, c, target, by);
        value = by.scale * (p - (c === target ? 1 : 0));
      } else {
        const target = dense(r);
        const by = scaleOf(r, divisor, divisorOff);
        bound = denseGradientBound(row, c, target, by);
        value = by.scale * (target.sum * p - (target.masses[c] as number));
      }
      if (zLoss !== 0) {
        const by = scaleOf(r, kept.length, 0);
        const z = 2 * zLoss * by.scale * row.stats.logSumExp * p;
        bound += zGradientBound(row, c, zLoss, by) + roundOf(value, z, zLoss);
        value += z;
      }
      if (options.softcap === undefined && (options.temperature ?? 1) === 1) return bound;
      return chainBound(bound, value, rows.slopeAt(i), options);
    },
    gradTargets(i) {
      const r = rows.rowOf(i);
      const c = rows.classOf(i);
      const by = scaleOf(r, divisor, divisorOff);
      const factor = by.scale * (1 - labelSmoothing) * (weight ? (weight[c] as number) : 1);
      return targetGradientBound(rows.row(r), c, factor, by.error);
    },
  };
}

/** Adding the z-loss to the cross-entropy rounds once more. */
function roundOf(a: number, b: number, zLoss: number): number {
  return zLoss === 0 ? 0 : 2 ** -24 * (Math.abs(a) + Math.abs(b));
}
