import { ieeeDiv, ieeeMul, isNan, keyIsFinite, keyValue } from '../bits.js';
import { BITS_NAN, bitsOf, floatOf, keep, keepBits } from '../float.js';
import type { Kernel } from '../kernel.js';
import { Logits } from '../logits.js';
import { type Distribution, distributionLoad, distributionStore, REACH, Softmaxes } from '../softmax.js';
import type { EntropyStat } from '../statistic/entropy.js';
import type { Epilogue } from '../statistic.js';

interface Row {
  readonly distribution: Distribution;
  readonly scale: number;
  readonly spread: number;
}

/** shaders/epilogue/entropy.wgsl */
export function entropyEpilogue(kernel: Kernel): Epilogue<EntropyStat, Row> {
  const { handover, numbers } = kernel;
  const softmaxes = new Softmaxes(kernel);
  const logits = new Logits(kernel);
  const gradOutput = kernel.role('gradOutput');
  const entropy = kernel.role('entropy');
  const grad = kernel.role('grad');
  return {
    rowFinish: (row, stat) => {
      const d = softmaxes.finish(stat.softmax);
      const scale = ieeeDiv(gradOutput.get(row), bitsOf(numbers.divisor));
      return { distribution: d, scale, spread: keep(stat.moment * d.inverse) };
    },
    rowOutput: (row, { distribution: d, spread }) => {
      entropy.put(row, keyIsFinite(d.top) ? keepBits(d.logSum + spread) : BITS_NAN);
    },
    rowStore: (at, r) => {
      distributionStore(handover, at, r.distribution);
      handover.put(at + 3, r.scale);
      handover.put(at + 4, bitsOf(r.spread));
    },
    rowLoad: (row) => {
      const at = kernel.recordAt(row);
      return {
        distribution: distributionLoad(handover, at),
        scale: handover.get(at + 3),
        spread: floatOf(handover.get(at + 4)),
      };
    },
    emit: (row, { distribution: d, scale, spread }, c) => {
      if (!keyIsFinite(d.top) || isNan(scale)) {
        grad.store(row, c, BITS_NAN);
        return;
      }
      const x = logits.at(row, c);
      const gap = softmaxes.gap(floatOf(x), keyValue(d.top));
      const slope = keep(softmaxes.p(d, x) * keep((gap >= -REACH ? -gap : 0) - spread));
      grad.store(row, c, ieeeMul(bitsOf(slope), scale));
    },
  };
}
