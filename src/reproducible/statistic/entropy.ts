import { keyValue } from '../bits.js';
import { bitsOf, floatOf, keep } from '../float.js';
import type { Kernel } from '../kernel.js';
import { Logits } from '../logits.js';
import { BLOCK, REACH, type Softmax, Softmaxes, sumLanes } from '../softmax.js';
import type { Statistic } from '../statistic.js';
import { gather, type SoftmaxStat, softmaxLoad, softmaxStore } from './softmax.js';

export interface EntropyStat extends SoftmaxStat {
  moment: number;
}

/** shaders/statistic/entropy.wgsl */
export function entropyStatistic(kernel: Kernel): Statistic<EntropyStat> {
  const { handover } = kernel;
  const softmaxes = new Softmaxes(kernel);
  const logits = new Logits(kernel);
  const x = new Uint32Array(BLOCK);
  const moments = new Float64Array(BLOCK);

  /** The moment about a higher maximum. */
  const momentAbout = (s: Softmax, moment: number, top: number): number => {
    if (s.top === top) return moment;
    const rise = -softmaxes.gap(keyValue(s.top), keyValue(top));
    if (!(rise <= REACH)) return 0;
    const grown = keep(moment + keep(rise * keep(s.ties + s.rest)));
    return keep(softmaxes.shrink(s.top, top) * grown);
  };

  return {
    zero: () => ({ softmax: softmaxes.zero(), moment: 0 }),
    absorb: (stat, row, c, step) => {
      gather(logits, x, row, c, step);
      const old = { ...stat.softmax };
      softmaxes.absorb(stat.softmax, x);
      const { top } = stat.softmax;
      const moment = momentAbout(old, stat.moment, top);
      for (let i = 0; i < BLOCK; i++) {
        const gap = softmaxes.gap(floatOf(x[i] as number), keyValue(top));
        moments[i] = gap >= -REACH ? keep(softmaxes.power(gap) * -gap) : 0;
      }
      stat.moment = keep(moment + sumLanes(moments));
    },
    merge: (a, b) => {
      const old = { ...a.softmax };
      softmaxes.merge(a.softmax, b.softmax);
      const { top } = a.softmax;
      a.moment = keep(momentAbout(old, a.moment, top) + momentAbout(b.softmax, b.moment, top));
    },
    store: (at, stat) => {
      softmaxStore(kernel, at, stat.softmax);
      handover.put(at + 3, bitsOf(stat.moment));
    },
    load: (at) => ({ softmax: softmaxLoad(kernel, at), moment: floatOf(handover.get(at + 3)) }),
  };
}
