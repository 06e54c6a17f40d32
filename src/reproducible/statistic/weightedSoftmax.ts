import { ieeeAdd, ieeeMul, isInf, isSpecial, KEY_NEG_INF, keyValue, met, sumBits } from '../bits.js';
import { BITS_ABS, BITS_INF, BITS_NEG_INF, bitsOf, floatOf, flushed, keep, keepBits } from '../float.js';
import type { Kernel } from '../kernel.js';
import { Logits } from '../logits.js';
import { BLOCK, Softmaxes, sumLanes } from '../softmax.js';
import type { AnyEpilogue, Coefficients, Statistic } from '../statistic.js';
import { gather, type SoftmaxStat, softmaxLoad, softmaxStore } from './softmax.js';

export interface WeightedSoftmaxStat extends SoftmaxStat {
  mass: number;
  /** Sum of q_j (max - x_j) / 2 over finite x_j. */
  gap: number;
  massMet: number;
  gapMet: number;
}

/** shaders/statistic/weighted-softmax.wgsl */
export function weightedSoftmaxStatistic(
  kernel: Kernel,
  epilogue: AnyEpilogue,
): Statistic<WeightedSoftmaxStat> {
  const { weightBits, probabilityBits } = epilogue.coefficients as Coefficients;
  const { classes, handover } = kernel;
  const softmaxes = new Softmaxes(kernel);
  const logits = new Logits(kernel);
  const x = new Uint32Array(BLOCK);
  const masses = new Float64Array(BLOCK);
  const gaps = new Float64Array(BLOCK);

  /** Fills `masses` and `gaps`; false if there is anything that floats cannot add. */
  const share = (row: number, c: number, step: number, halfTop: number): boolean => {
    for (let i = 0; i < BLOCK; i++) {
      const at = c + (i >> 2) * step + (i & 3);
      masses[i] = 0;
      gaps[i] = 0;
      if (at >= classes) continue;
      const weight = weightBits(at);
      const prob = probabilityBits(row, at);
      if (isSpecial(weight) || isSpecial(prob)) return false;
      const bits = x[i] as number;
      const masked = bits === BITS_NEG_INF;
      if (masked && prob !== 0) return false;
      const q = keep(floatOf(flushed(weight)) * floatOf(prob));
      masses[i] = q;
      if (!masked) gaps[i] = keep(q * softmaxes.tempered(keep(halfTop - keep(0.5 * floatOf(bits)))));
    }
    return true;
  };

  const addOdd = (stat: WeightedSoftmaxStat, row: number, c: number, halfTop: number): void => {
    for (let i = c; i < Math.min(c + 4, classes); i++) {
      const weight = weightBits(i);
      const prob = probabilityBits(row, i);
      const q = ieeeMul(weight, prob);
      const at = logits.pick(row, i);
      const halfGap = softmaxes.tempered(keep(halfTop - keep(0.5 * floatOf(at))));
      let gap = isInf(q) && !(halfGap > 0) ? 0 : ieeeMul(q, bitsOf(halfGap));
      if (at === BITS_NEG_INF) gap = (prob & BITS_ABS) === 0 ? 0 : ieeeMul(weight, ieeeMul(prob, BITS_INF));
      stat.massMet |= met(q);
      stat.gapMet |= met(gap);
      stat.mass = keep(stat.mass + (isSpecial(q) ? 0 : floatOf(q)));
      stat.gap = keep(stat.gap + (isSpecial(gap) ? 0 : floatOf(gap)));
    }
  };

  const gapMetAt = (massMet: number, gapMet: number, before: number, top: number): number =>
    before === top || before === KEY_NEG_INF ? gapMet : gapMet | massMet;

  const gapGrowth = (mass: number, before: number, top: number): number => {
    if (before === top || before === KEY_NEG_INF) return 0;
    const rise = keep(keep(0.5 * keyValue(top)) - keep(0.5 * keyValue(before)));
    return keep(mass * softmaxes.tempered(rise));
  };

  return {
    zero: () => ({ softmax: softmaxes.zero(), mass: 0, gap: 0, massMet: 0, gapMet: 0 }),
    absorb: (stat, row, c, step) => {
      gather(logits, x, row, c, step);
      const before = softmaxes.absorb(stat.softmax, x);
      const { top } = stat.softmax;
      stat.gap = keep(stat.gap + gapGrowth(stat.mass, before, top));
      stat.gapMet = gapMetAt(stat.massMet, stat.gapMet, before, top);
      const halfTop = keep(0.5 * keyValue(top));
      if (!share(row, c, step, halfTop)) {
        for (let i = 0; i < 4; i++) addOdd(stat, row, c + i * step, halfTop);
        return;
      }
      stat.gap = keep(stat.gap + sumLanes(gaps));
      stat.mass = keep(stat.mass + sumLanes(masses));
    },
    merge: (a, b) => {
      const [aTop, bTop] = [a.softmax.top, b.softmax.top];
      softmaxes.merge(a.softmax, b.softmax);
      const { top } = a.softmax;
      const aGap = keep(a.gap + gapGrowth(a.mass, aTop, top));
      const bGap = keep(b.gap + gapGrowth(b.mass, bTop, top));
      const aMet = gapMetAt(a.massMet, a.gapMet, aTop, top);
      const bMet = gapMetAt(b.massMet, b.gapMet, bTop, top);
      a.mass = keep(a.mass + b.mass);
      a.gap = keep(aGap + bGap);
      a.massMet |= b.massMet;
      a.gapMet = aMet | bMet;
    },
    store: (at, stat) => {
      softmaxStore(kernel, at, stat.softmax);
      handover.put(at + 3, bitsOf(stat.mass));
      handover.put(at + 4, bitsOf(stat.gap));
      handover.put(at + 5, stat.massMet);
      handover.put(at + 6, stat.gapMet);
    },
    load: (at) => ({
      softmax: softmaxLoad(kernel, at),
      mass: floatOf(handover.get(at + 3)),
      gap: floatOf(handover.get(at + 4)),
      massMet: handover.get(at + 5),
      gapMet: handover.get(at + 6),
    }),
  };
}

/** sum q_j as bits; 0 of a plain softmax. */
export function massOf(stat: SoftmaxStat | WeightedSoftmaxStat): number {
  return 'mass' in stat ? sumBits(stat.mass, stat.massMet) : 0;
}

/** sum q_j (lse - x_j), halved, as bits. */
export function halfLossOf(stat: WeightedSoftmaxStat, logSum: number): number {
  const mass = massOf(stat);
  const gap = sumBits(stat.gap, stat.gapMet);
  const ofMass = isInf(mass) && isInf(gap) ? mass : ieeeMul(mass, keepBits(0.5 * logSum));
  return ieeeAdd(ofMass, gap);
}
