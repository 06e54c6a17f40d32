import { ieeeAdd, ieeeDiv, ieeeMul, ieeeSub, isNan, keyIsFinite, twice } from '../bits.js';
import { BITS_NAN, bitsOf, flushed } from '../float.js';
import type { Kernel } from '../kernel.js';
import { Logits } from '../logits.js';
import { type Distribution, distributionLoad, distributionStore, Softmaxes } from '../softmax.js';
import { halfLossOf, massOf, type WeightedSoftmaxStat } from '../statistic/weightedSoftmax.js';
import type { Epilogue } from '../statistic.js';

interface Row {
  readonly distribution: Distribution;
  readonly scale: number;
  pull: number;
  readonly factor: number;
  loss: number;
}

/** shaders/epilogue/cross-entropy-probs.wgsl */
export function crossEntropyProbsEpilogue(kernel: Kernel): Epilogue<WeightedSoftmaxStat, Row> {
  const { flags, numbers, handover } = kernel;
  const softmaxes = new Softmaxes(kernel);
  const logits = new Logits(kernel);
  const targets = kernel.role('targets');
  const weights = kernel.role('weight');
  const gradOutput = kernel.role('gradOutput');
  const loss = kernel.role('loss');
  const logSumExp = kernel.role('logSumExp');
  const grad = kernel.role('grad');
  const gradTargets = kernel.role('gradTargets');
  const keepShare = bitsOf(numbers.keep);
  const spread = flushed(bitsOf(numbers.spread));

  const weightBits = (c: number): number => weights.load(0, c);
  const probabilityBits = (row: number, c: number): number =>
    ieeeAdd(ieeeMul(keepShare, targets.load(row, c)), spread);

  return {
    coefficients: { weightBits, probabilityBits },
    rowFinish: (row, stat) => {
      const d = softmaxes.finish(stat.softmax);
      const scale = ieeeDiv(gradOutput.get(row), bitsOf(numbers.divisor));
      if (!keyIsFinite(d.top)) {
        return { distribution: d, scale: BITS_NAN, pull: BITS_NAN, factor: BITS_NAN, loss: BITS_NAN };
      }
      const factor = ieeeMul(scale, bitsOf(numbers.chain));
      const r: Row = {
        distribution: d,
        scale,
        pull: ieeeMul(factor, massOf(stat)),
        factor,
        loss: twice(halfLossOf(stat, d.logSum)),
      };
      if (flags.Z_LOSS) {
        const lse = softmaxes.lse(d);
        const zLse = ieeeMul(bitsOf(numbers.zLoss), lse);
        r.loss = ieeeAdd(r.loss, ieeeMul(zLse, lse));
        r.pull = ieeeAdd(r.pull, ieeeMul(ieeeMul(bitsOf(2), zLse), factor));
      }
      return r;
    },
    rowOutput: (row, r) => {
      loss.put(row, r.loss);
      logSumExp.put(row, softmaxes.lse(r.distribution));
    },
    rowStore: (at, r) => {
      distributionStore(handover, at, r.distribution);
      handover.put(at + 3, r.scale);
      handover.put(at + 4, r.pull);
      handover.put(at + 5, r.factor);
    },
    rowLoad: (row) => {
      const at = kernel.recordAt(row);
      return {
        distribution: distributionLoad(handover, at),
        scale: handover.get(at + 3),
        pull: handover.get(at + 4),
        factor: handover.get(at + 5),
        loss: 0,
      };
    },
    emit: (row, r, c) => {
      const { distribution: d } = r;
      if (!keyIsFinite(d.top) || isNan(r.scale)) {
        grad.store(row, c, BITS_NAN);
        gradTargets.store(row, c, BITS_NAN);
        return;
      }
      const raw = logits.raw(row, c);
      const x = logits.capped(raw, c);
      // Of finite operands, the same as the plain arithmetic of the kernel.
      const pull = ieeeMul(r.pull, bitsOf(softmaxes.p(d, x)));
      const share = ieeeMul(r.factor, ieeeMul(weightBits(c), probabilityBits(row, c)));
      grad.store(row, c, ieeeMul(ieeeSub(pull, share), bitsOf(logits.slope(raw))));
      if (flags.TARGET_GRADIENT) {
        const factor = ieeeMul(r.scale, ieeeMul(keepShare, weightBits(c)));
        gradTargets.store(row, c, twice(ieeeMul(factor, softmaxes.halfNll(d, x))));
      }
    },
  };
}
