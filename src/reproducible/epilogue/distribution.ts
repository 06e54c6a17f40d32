import { keyIsFinite, keyValue } from '../bits.js';
import { BITS_NAN, BITS_NEG_INF, bitsOf, floatOf, keepBits } from '../float.js';
import type { Kernel } from '../kernel.js';
import { Logits } from '../logits.js';
import { type Distribution, distributionLoad, distributionStore, Softmaxes } from '../softmax.js';
import type { SoftmaxStat } from '../statistic/softmax.js';
import type { Epilogue } from '../statistic.js';

type DistributionEpilogue = Epilogue<SoftmaxStat, Distribution>;

/** What the epilogues have in common that need no more than a row's distribution. */
function distributionEpilogue(
  kernel: Kernel,
  bits: (softmaxes: Softmaxes, d: Distribution, x: number) => number,
): DistributionEpilogue {
  const softmaxes = new Softmaxes(kernel);
  const logits = new Logits(kernel);
  const output = kernel.role('output');
  return {
    rowFinish: (_row, stat) => softmaxes.finish(stat.softmax),
    rowStore: (at, d) => distributionStore(kernel.handover, at, d),
    rowLoad: (row) => distributionLoad(kernel.handover, kernel.recordAt(row)),
    emit: (row, d, c) => {
      output.store(row, c, keyIsFinite(d.top) ? bits(softmaxes, d, logits.at(row, c)) : BITS_NAN);
    },
  };
}

/** shaders/epilogue/softmax.wgsl */
export function softmaxEpilogue(kernel: Kernel): DistributionEpilogue {
  return distributionEpilogue(kernel, (softmaxes, d, x) => bitsOf(softmaxes.p(d, x)));
}

/** shaders/epilogue/log-softmax.wgsl */
export function logSoftmaxEpilogue(kernel: Kernel): DistributionEpilogue {
  return distributionEpilogue(kernel, (softmaxes, d, x) => {
    const gap = softmaxes.gap(floatOf(x), keyValue(d.top));
    return gap === Number.NEGATIVE_INFINITY ? BITS_NEG_INF : keepBits(gap - d.logSum);
  });
}

/** shaders/epilogue/log-sum-exp.wgsl */
export function logSumExpEpilogue(kernel: Kernel): DistributionEpilogue {
  const softmaxes = new Softmaxes(kernel);
  const output = kernel.role('output');
  return {
    rowFinish: (_row, stat) => softmaxes.finish(stat.softmax),
    rowOutput: (row, d) => output.put(row, softmaxes.lse(d)),
  };
}
