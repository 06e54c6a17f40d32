import type { FloatDType } from 'webgpu-loss';
import { Ledger } from '../../test/support/ledger.js';
import type { Case, Results } from './contender.js';
import type { Expectation, Expected } from './expectation.js';
import { type CaseTensor, countOf, dtypeOf, shapeOf, tensorsOf } from './tensors.js';

/** How close some results are to the exact ones. */
export interface Verdict {
  /** Worst error / bound: at most 1 where all is right. */
  readonly worst: number;
  /** What is wrong, where something is. */
  readonly wrong?: string;
}

/** Elements of a matrix that are compared: whole rows, evenly spread, the first and the last among them. */
const MOST_COMPARED = 2 ** 18;

/**
 * Compares results with the exact ones. Values of each row and reduced ones are all looked at, of the elements a good part.
 *
 * @param slack how many times the bound a result may be off by: 1 for kernels that promise the bounds
 */
export function check(of: Case, results: Results, expectation: Expectation, slack = 1): Verdict {
  const ledger = new Ledger('bench');
  try {
    for (const tensor of tensorsOf(of.op).filter(({ use }) => use === 'out')) {
      const { name } = tensor;
      const actual = results[name];
      if (actual === undefined) throw new Error(`there is no result '${name}'`);
      compare(ledger, of, tensor, actual, expectation[name] as Expected, slack);
    }
  } catch (error) {
    return { worst: worstOf(ledger), wrong: (error as Error).message.replace(/^bench: /, '') };
  }
  return { worst: worstOf(ledger) * slack };
}

function compare(
  ledger: Ledger,
  of: Case,
  tensor: CaseTensor,
  actual: ArrayLike<number>,
  { values, bound }: Expected,
  slack: number,
): void {
  const { name } = tensor;
  const count = countOf(tensor, of);
  if (actual.length !== count) throw new Error(`${name} holds ${actual.length} values, expected ${count}`);
  const dtype = dtypeOf(tensor, of);
  const checkAt = (i: number): void => {
    ledger.check(
      name,
      actual[i] as number,
      values[i] as number,
      slack * bound(i),
      () => `${name}[${i}]`,
      dtype === 'i32' ? 'f32' : (dtype as FloatDType),
    );
  };
  const [rows = 1, length] = shapeOf(tensor, of);
  if (length === undefined) {
    for (let i = 0; i < count; i++) checkAt(i);
    return;
  }
  for (const r of comparedRows(rows, length)) for (let c = 0; c < length; c++) checkAt(r * length + c);
}

/** Rows of a matrix whose elements are compared, which are so many in each. */
export function comparedRows(rows: number, length: number): readonly number[] {
  const wanted = Math.min(rows, Math.max(2, Math.floor(MOST_COMPARED / length)));
  if (wanted === 1) return [0];
  return Array.from({ length: wanted }, (_, k) => Math.round((k * (rows - 1)) / (wanted - 1)));
}

function worstOf(ledger: Ledger): number {
  return Math.max(0, ...ledger.toJSON().map(({ worst }) => worst));
}
