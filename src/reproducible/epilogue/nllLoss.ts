import { ieeeDiv, ieeeMul, negated } from '../bits.js';
import { BITS_NAN } from '../float.js';
import type { Kernel } from '../kernel.js';
import type { Epilogue } from '../statistic.js';

interface Row {
  readonly fill: number;
  readonly hit: number;
  readonly hitGradient: number;
  readonly loss: number;
}

/** shaders/epilogue/nll-loss.wgsl */
export function nllLossEpilogue(kernel: Kernel): Epilogue<undefined, Row> {
  const { classes } = kernel;
  const logProbs = kernel.role('logProbs');
  const targets = kernel.role('targets');
  const weights = kernel.role('weight');
  const gradOutput = kernel.role('gradOutput');
  const census = kernel.role('census');
  const loss = kernel.role('loss');
  const grad = kernel.role('grad');
  return {
    rowLoad: (row) => {
      const hit = targets.get(row);
      if (kernel.isIgnored(hit)) return { fill: 0, hit: classes, hitGradient: 0, loss: 0 };
      if (hit >= classes) return { fill: BITS_NAN, hit: classes, hitGradient: 0, loss: BITS_NAN };
      const weight = weights.pick(0, hit);
      const scale = ieeeDiv(gradOutput.get(row), census.get(1));
      return {
        fill: 0,
        hit,
        hitGradient: negated(ieeeMul(weight, scale)),
        loss: negated(ieeeMul(weight, logProbs.pick(row, hit))),
      };
    },
    rowOutput: (row, r) => loss.put(row, r.loss),
    emit: (row, r, c) => grad.store(row, c, c === r.hit ? r.hitGradient : r.fill),
  };
}
