import { bitsOf, floatOf } from '../float.js';
import type { Kernel } from '../kernel.js';
import { Logits } from '../logits.js';
import { BLOCK, type Softmax, Softmaxes } from '../softmax.js';
import type { Statistic } from '../statistic.js';

export interface SoftmaxStat {
  readonly softmax: Softmax;
}

/** Reads the sixteen logits of a step into `x`. */
export function gather(logits: Logits, x: Uint32Array, row: number, c: number, step: number): void {
  for (let i = 0; i < BLOCK; i++) x[i] = logits.at(row, c + (i >> 2) * step + (i & 3));
}

/** shaders/statistic/softmax.wgsl */
export function softmaxStatistic(kernel: Kernel): Statistic<SoftmaxStat> {
  const softmaxes = new Softmaxes(kernel);
  const logits = new Logits(kernel);
  const x = new Uint32Array(BLOCK);
  return {
    zero: () => ({ softmax: softmaxes.zero() }),
    absorb: (stat, row, c, step) => {
      gather(logits, x, row, c, step);
      softmaxes.absorb(stat.softmax, x);
    },
    merge: (a, b) => softmaxes.merge(a.softmax, b.softmax),
    store: (at, stat) => softmaxStore(kernel, at, stat.softmax),
    load: (at) => ({ softmax: softmaxLoad(kernel, at) }),
  };
}

export function softmaxStore({ handover }: Kernel, at: number, s: Softmax): void {
  handover.put(at, s.top >>> 0);
  handover.put(at + 1, bitsOf(s.ties));
  handover.put(at + 2, bitsOf(s.rest));
}

export function softmaxLoad({ handover }: Kernel, at: number): Softmax {
  return {
    top: handover.get(at) | 0,
    ties: floatOf(handover.get(at + 1)),
    rest: floatOf(handover.get(at + 2)),
  };
}
