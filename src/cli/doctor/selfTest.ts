// Some operations on some rows, compared with the float64 implementation under the derived bounds.
import type { Context } from '../../context.js';
import { crossEntropy as exactCrossEntropy } from '../../cpu/crossEntropy.js';
import { logitStats as exactLogitStats } from '../../cpu/logitStats.js';
import { softmax as exactSoftmax } from '../../cpu/softmax.js';
import { crossEntropy } from '../../ops/crossEntropy.js';
import { logitStats } from '../../ops/logitStats.js';
import { softmax } from '../../ops/softmax.js';
import type { Tensor } from '../../tensor.js';
import {
  entropyFacts,
  indexGradientBound,
  indexLossBound,
  logProbabilityBound,
  logSumExpBound,
  probabilityBound,
  type RowFacts,
  rowFacts,
} from './bounds.js';
import { kernelFacts } from './kernel.js';

/** One quantity on one shape. */
export interface Finding {
  readonly op: string;
  readonly quantity: string;
  readonly rows: number;
  readonly classes: number;
  /** Largest error / bound: above 1 it is wrong. Infinity for a wrong index, or a NaN or infinity too many or missing. */
  readonly worst: number;
}

/** One for each strategy of a GPU; see `choosePolicy`. */
const SHAPES: readonly (readonly [number, number])[] = [
  [32, 30],
  [16, 1000],
  [2, 20_000],
];

/** What a self-test found; in the order of the shapes. Rejects with the library's errors. */
export async function selfTest(context: Context): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [rows, classes] of SHAPES) findings.push(...(await testShape(context, rows, classes)));
  return findings;
}

export function passed(findings: readonly Finding[]): boolean {
  return findings.every(({ worst }) => worst <= 1);
}

async function testShape(context: Context, rows: number, classes: number): Promise<readonly Finding[]> {
  const shape = [rows, classes];
  const data = logitsOf(rows, classes);
  // A class of each row that moves along, the last one too.
  const targets = Int32Array.from({ length: rows }, (_, r) => (classes - 1 + 7 * r) % classes);
  const kernel = kernelFacts(context, 1);
  const facts = Array.from({ length: rows }, (_, r) =>
    rowFacts(Float64Array.from(data.subarray(r * classes, (r + 1) * classes)), kernel),
  );
  const ofRow = (r: number): RowFacts => facts[r] as RowFacts;
  const target = (r: number): number => targets[r] as number;
  const findings: Finding[] = [];
  const compare = async (
    op: string,
    quantity: string,
    tensor: Tensor | undefined,
    exact: ArrayLike<number> | undefined,
    bound: (i: number) => number,
  ): Promise<void> => {
    const actual = await (tensor as Tensor).read();
    const expected = exact as ArrayLike<number>;
    let worst = 0;
    for (let i = 0; i < expected.length; i++) {
      worst = Math.max(
        worst,
        ratioOf(actual[i] as number, expected[i] as number, () => bound(i)),
      );
    }
    findings.push({ op, quantity, rows, classes, worst });
  };
  const exactly = (): number => 0;

  const logits = context.tensor(data, shape);
  const made: Tensor[] = [logits];
  try {
    const probs = await softmax(logits);
    made.push(probs);
    await compare('softmax', 'probabilities', probs, exactSoftmax(data, shape), (i) =>
      probabilityBound(ofRow(Math.floor(i / classes)), i % classes),
    );

    const options = { reduction: 'none', grad: true } as const;
    const { loss, grad } = await crossEntropy(logits, targets, options);
    made.push(loss, grad as Tensor);
    const exact = exactCrossEntropy(data, targets, shape, options);
    await compare('crossEntropy', 'loss', loss, exact.loss, (r) => indexLossBound(ofRow(r), target(r)));
    const scale = { scale: 1, error: 0 };
    await compare('crossEntropy', 'gradient', grad, exact.grad, (i) => {
      const r = Math.floor(i / classes);
      return indexGradientBound(ofRow(r), i % classes, target(r), scale);
    });

    const stats = await logitStats(logits, targets);
    const { logSumExp, entropy, argmax, targetLogProb, targetRank } = stats;
    made.push(logSumExp, entropy, argmax, targetLogProb as Tensor, targetRank as Tensor);
    const facit = exactLogitStats(data, targets, shape);
    const op = 'logitStats';
    await compare(op, 'log-sum-exp', logSumExp, facit.logSumExp, (r) => logSumExpBound(ofRow(r)));
    await compare(op, 'entropy', entropy, facit.entropy, (r) => entropyFacts(ofRow(r)).error);
    await compare(op, 'log-probability', targetLogProb, facit.targetLogProb, (r) =>
      logProbabilityBound(ofRow(r), target(r)),
    );
    await compare(op, 'argmax', argmax, facit.argmax, exactly);
    await compare(op, 'rank', targetRank, facit.targetRank, exactly);
    return findings;
  } finally {
    for (const tensor of made) tensor.destroy();
  }
}

/** Error over bound: 0 where both are the same or NaN, Infinity where one is not finite and the other is something else. */
function ratioOf(actual: number, expected: number, bound: () => number): number {
  if (actual === expected || (Number.isNaN(actual) && Number.isNaN(expected))) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Number.POSITIVE_INFINITY;
  return Math.abs(actual - expected) / bound();
}

/** Rows of all kinds in turn: plain, a few logits far out, ties, masked classes, far from 0, and those without a softmax. */
function logitsOf(rows: number, classes: number): Float32Array<ArrayBuffer> {
  let state = classes;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const plain = (): number => 6 * (next() + next() + next() - 1.5);
  const bad = Math.floor(classes / 3);
  const kinds: readonly ((c: number) => number)[] = [
    plain,
    () => plain() * (next() < 0.05 ? 20 : 1),
    () => Math.floor(4 * next()),
    () => (next() < 0.4 ? Number.NEGATIVE_INFINITY : plain()),
    () => 1e4 + plain(),
    (c) => (c === bad ? Number.NaN : plain()),
    (c) => (c === bad ? Number.POSITIVE_INFINITY : plain()),
    () => Number.NEGATIVE_INFINITY,
  ];
  return Float32Array.from({ length: rows * classes }, (_, i) => {
    const kind = kinds[Math.floor(i / classes) % kinds.length] as (c: number) => number;
    return kind(i % classes);
  });
}
