// What `consumer/losses.js` must say wherever it runs, from the float64 oracle.
import {
  binaryCrossEntropy,
  crossEntropy,
  entropy,
  klDivergence,
  linearCrossEntropy,
  logitStats,
  logSumExp,
  nllLoss,
  softmax,
  softmaxGrad,
} from '../../src/cpu.js';

const logits = [2, 0, -1, 0, 3, 1];
const shape = [2, 3];
const indices = Int32Array.of(0, 2);
const weights = [1, -1, 0.5, 2, 0, 1];
const probs = Float64Array.of(1, 0, 0, 0, 0.5, 0.5);

const digits = (values: Iterable<number>) => Array.from(values, (value) => value.toFixed(4)).join(' ');

/** Answers of `losses`, without the backend. */
export function expectedLosses(): Readonly<Record<string, string>> {
  const { loss, grad = [] } = crossEntropy(logits, indices, shape, { grad: true });
  const rows = digits(crossEntropy(logits, indices, shape, { reduction: 'none' }).loss);
  return {
    indices: digits(loss),
    gradient: digits(grad),
    probabilities: digits(crossEntropy(logits, probs, shape, { reduction: 'none' }).loss),
    // 8 bits of each value are kept; `docs` and README have the same ones.
    halves: digits(softmax([1, 0, -1], [3]).map(toBf16)),
    linear: digits(linearCrossEntropy(logits, weights, Int32Array.of(0, 1), [2, 3, 2]).loss),
    plan: rows,
    entropy: digits(entropy(logits, shape).entropy),
    divergence: digits(klDivergence(logits, probs, shape, { target: 'probs' }).divergence),
    binary: digits(binaryCrossEntropy(logits, probs, shape).loss),
    nll: digits(nllLoss(logits, indices, shape).loss),
    logSumExp: digits(logSumExp(logits, shape)),
    softmaxGrad: digits(softmaxGrad(logits, probs, shape)),
    targetLogProb: digits(logitStats(logits, indices, shape).targetLogProb ?? []),
    uneven: digits([1 / 1025, 1 / 1025]),
    refusal: 'WebGpuUnavailableError',
    reproducible: rows,
    oracle: digits(loss),
  };
}

/** To nearest, ties to even, by the bits. */
function toBf16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  const word = bits[0] as number;
  bits[0] = (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0] as number;
}
