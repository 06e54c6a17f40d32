import { logSoftmax, logSumExp, softmax } from 'webgpu-loss/cpu';
import { decodeHalf, encodeHalf } from '../../src/half.js';
import { random } from '../../test/conformance/data.js';
import type { Case, CaseData, OpName } from './contender.js';
import { headOf } from './head.js';
import { normal } from './normal.js';
import { isLinear, tensorsOf } from './tensors.js';

type Floats = Float32Array<ArrayBuffer>;
type Fill = (of: Case, seed: number) => Floats | Int32Array<ArrayBuffer>;

// One element in twenty is twenty times as far out: flat data lets wrong kernels pass.
const SPIKES = 0.05;
const SPIKE = 20;

function spiky(count: number, seed: number): Floats {
  const next = random(seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const value = normal(next);
    values[i] = next() < SPIKES ? value * SPIKE : value;
  }
  return values;
}

/** What a store in 16 bits keeps of the values. */
function rounded(values: Floats, { dtype }: Case): Floats {
  return dtype === 'f32' ? values : decodeHalf(dtype, encodeHalf(dtype, values));
}

const logits: Fill = (of, seed) => rounded(spiky(of.rows * of.classes, seed), of);
const perElement: Fill = (of, seed) => rounded(spiky(of.rows * of.classes, seed + 1), of);
const perRow: Fill = (of, seed) => spiky(of.rows, seed + 2);
const indices: Fill = ({ rows, classes }, seed) => {
  const next = random(seed + 3);
  return Int32Array.from({ length: rows }, () => Math.floor(classes * next()));
};
const shares: Fill = (of, seed) => {
  const next = random(seed + 4);
  return rounded(Float32Array.from({ length: of.rows * of.classes }, next), of);
};
/** What an earlier operation has made of the logits. */
const derived =
  (by: typeof softmax | typeof logSumExp): Fill =>
  (of, seed) =>
    Float32Array.from(by(logits(of, seed) as Floats, [of.rows, of.classes]));
const derivedMatrix =
  (by: typeof softmax): Fill =>
  (of, seed) =>
    rounded(derived(by)(of, seed) as Floats, of);

const FILLS: Readonly<Record<string, Fill>> = {
  logits,
  targets: indices,
  gradOutput: perElement,
  probs: derivedMatrix(softmax),
  logProbs: derivedMatrix(logSoftmax),
  lse: derived(logSumExp),
  target: perElement,
};

/** Inputs that mean something else in one operation than the name says in the others. */
const OTHERS: { readonly [O in OpName]?: Readonly<Record<string, Fill>> } = {
  logSumExpGrad: { gradOutput: perRow },
  binaryCrossEntropy: { targets: shares },
};

/** The inputs of a case, seeded: the same numbers in every run, and the same logits for every op of a shape. */
export function dataOf(of: Case, seed: number): CaseData {
  if (isLinear(of.op)) return linearDataOf(of, seed);
  const inputs = tensorsOf(of.op)
    .filter(({ use }) => use === 'in')
    .map(({ name }) => [name, (OTHERS[of.op]?.[name] ?? (FILLS[name] as Fill))(of, seed)] as const);
  return { seed, inputs: Object.fromEntries(inputs) };
}

function linearDataOf(of: Case, seed: number): CaseData {
  const { hidden, weight, targets } = headOf(of, seed);
  const given: CaseData['inputs'] = { hidden: rounded(hidden, of), weight: rounded(weight, of), targets };
  const used = tensorsOf(of.op).filter(({ use }) => use === 'in');
  return { seed, inputs: Object.fromEntries(used.map(({ name }) => [name, given[name] as Floats])) };
}
