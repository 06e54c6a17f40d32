import {
  ieeeAdd,
  ieeeDiv,
  ieeeMul,
  ieeeSub,
  isInf,
  isNan,
  isSpecial,
  keyIsFinite,
  keyValue,
  twice,
} from '../bits.js';
import { BITS_NAN, bitsOf, floatOf, flushed, keep, keepBits } from '../float.js';
import type { Kernel } from '../kernel.js';
import { Logits } from '../logits.js';
import { type Distribution, distributionLoad, distributionStore, Softmaxes } from '../softmax.js';
import type { SoftmaxStat } from '../statistic/softmax.js';
import { halfLossOf, massOf, type WeightedSoftmaxStat } from '../statistic/weightedSoftmax.js';
import type { Epilogue } from '../statistic.js';

interface Row {
  readonly distribution: Distribution;
  state: number;
  pull: number;
  factor: number;
  hitGradient: number;
  readonly hit: number;
  loss: number;
}

const ROW_USUAL = 0;
const ROW_IGNORED = 1;
const ROW_NAN = 2;
const ROW_SPECIAL = 3;

/** shaders/epilogue/cross-entropy-index.wgsl */
export function crossEntropyIndexEpilogue(kernel: Kernel): Epilogue<SoftmaxStat | WeightedSoftmaxStat, Row> {
  const { classes, flags, numbers, handover } = kernel;
  const softmaxes = new Softmaxes(kernel);
  const logits = new Logits(kernel);
  const targets = kernel.role('targets');
  const weights = kernel.role('weight');
  const gradOutput = kernel.role('gradOutput');
  const census = kernel.role('census');
  const loss = kernel.role('loss');
  const logSumExp = kernel.role('logSumExp');
  const grad = kernel.role('grad');
  const chain = bitsOf(numbers.chain);
  const spread = flushed(bitsOf(numbers.spread));

  const rowFinish = (row: number, stat: SoftmaxStat | WeightedSoftmaxStat): Row => {
    const hit = targets.get(row);
    const d = softmaxes.finish(stat.softmax);
    const r: Row = { distribution: d, state: ROW_USUAL, pull: 0, factor: 0, hitGradient: 0, hit, loss: 0 };
    if (kernel.isIgnored(hit)) {
      r.state = ROW_IGNORED;
      return r;
    }
    if (hit >= classes || !keyIsFinite(d.top)) {
      r.state = ROW_NAN;
      r.loss = BITS_NAN;
      return r;
    }
    const logit = logits.pick(row, hit);
    const weight = weights.pick(0, hit);
    const upstream = gradOutput.get(row);
    const scale = ieeeMul(ieeeDiv(upstream, census.get(1)), chain);
    const halfNll = softmaxes.halfNll(d, logit);
    const p = softmaxes.p(d, logit);
    let halfLoss: number;
    if (flags.SMOOTHING) {
      const own = ieeeMul(bitsOf(numbers.keep), weight);
      const kept = numbers.keep === 0 ? 0 : ieeeMul(own, halfNll);
      halfLoss = ieeeAdd(kept, halfLossOf(stat as WeightedSoftmaxStat, d.logSum));
      r.factor = scale;
      r.pull = ieeeMul(scale, ieeeAdd(own, massOf(stat)));
      const share = ieeeAdd(own, ieeeMul(weight, bitsOf(numbers.spread)));
      r.hitGradient = ieeeSub(ieeeMul(r.pull, bitsOf(p)), ieeeMul(scale, share));
    } else {
      halfLoss = ieeeMul(weight, halfNll);
      r.factor = ieeeMul(scale, weight);
      r.pull = r.factor;
      const leads = softmaxes.gap(floatOf(logit), keyValue(d.top)) === 0;
      const excess = leads ? keep(-softmaxes.above(stat.softmax) * d.inverse) : keep(p - 1);
      r.hitGradient = isSpecial(r.factor) ? BITS_NAN : ieeeMul(r.factor, bitsOf(excess));
    }
    r.loss = twice(halfLoss);
    if (flags.Z_LOSS) {
      const lse = softmaxes.lse(d);
      const zLse = ieeeMul(bitsOf(numbers.zLoss), lse);
      r.loss = ieeeAdd(r.loss, ieeeMul(ieeeMul(zLse, lse), ieeeDiv(census.get(1), census.get(0))));
      const zScale = ieeeMul(ieeeDiv(upstream, census.get(0)), chain);
      const zPull = ieeeMul(ieeeMul(bitsOf(2), zLse), zScale);
      r.pull = ieeeAdd(r.pull, zPull);
      r.hitGradient = ieeeAdd(r.hitGradient, ieeeMul(zPull, bitsOf(p)));
    }
    if (isNan(r.factor) || isNan(r.pull)) r.state = ROW_NAN;
    else if (isInf(r.factor) || isInf(r.pull) || isSpecial(r.hitGradient)) r.state = ROW_SPECIAL;
    r.hitGradient = ieeeMul(r.hitGradient, bitsOf(logits.slope(logits.raw(row, hit))));
    return r;
  };

  const specialGradient = (r: Row, c: number, p: number): number => {
    const pull = ieeeMul(r.pull, bitsOf(p));
    if (!flags.SMOOTHING) return pull;
    return ieeeSub(pull, ieeeMul(r.factor, ieeeMul(weights.pick(0, c), spread)));
  };

  const usualGradient = (r: Row, c: number, p: number): number => {
    const pull = keep(p * floatOf(r.pull));
    if (!flags.SMOOTHING) return pull;
    const q = keep(floatOf(flushed(weights.load(0, c))) * floatOf(spread));
    return keep(pull - keep(q * floatOf(r.factor)));
  };

  return {
    coefficients: {
      weightBits: (c) => weights.load(0, c),
      probabilityBits: () => spread,
    },
    rowFinish,
    rowOutput: (row, r) => {
      loss.put(row, r.loss);
      logSumExp.put(row, softmaxes.lse(r.distribution));
    },
    rowStore: (at, r) => {
      distributionStore(handover, at, r.distribution);
      handover.put(at + 3, r.state);
      handover.put(at + 4, r.pull);
      handover.put(at + 5, r.factor);
      handover.put(at + 6, r.hitGradient);
      handover.put(at + 7, r.hit);
    },
    rowLoad: (row) => {
      const at = kernel.recordAt(row);
      return {
        distribution: distributionLoad(handover, at),
        state: handover.get(at + 3),
        pull: handover.get(at + 4),
        factor: handover.get(at + 5),
        hitGradient: handover.get(at + 6),
        hit: handover.get(at + 7),
        loss: 0,
      };
    },
    emit: (row, r, c) => {
      if (r.state === ROW_IGNORED || r.state === ROW_NAN) {
        grad.store(row, c, r.state === ROW_NAN ? BITS_NAN : 0);
        return;
      }
      if (c === r.hit) {
        grad.store(row, c, r.hitGradient);
        return;
      }
      const x = logits.raw(row, c);
      const p = softmaxes.p(r.distribution, logits.capped(x, c));
      const slope = logits.slope(x);
      const bits =
        r.state === ROW_USUAL
          ? keepBits(usualGradient(r, c, p) * slope)
          : ieeeMul(specialGradient(r, c, p), bitsOf(slope));
      grad.store(row, c, bits);
    },
  };
}
