import type { FloatDType } from '../../src/dtype.js';
import type { Tensor } from '../../src/index.js';
import type { GoldenCase, GoldenOutput } from '../support/golden.js';
import type { Ledger } from '../support/ledger.js';
import { expectationOf } from './contract.js';
import { numbers } from './tensors.js';

/** Compares a result with the golden output of that name, all of it or at the places the summary knows. */
export type Compare = (
  quantity: string,
  name: string,
  actual: Tensor,
  bound: (i: number) => number,
  /** What the result is to be multiplied by, element by element, to be the golden one. */
  factor?: (i: number) => number,
) => Promise<void>;

/** @param noise how far the golden values may be off themselves */
export function comparison(golden: GoldenCase, ledger: Ledger, noise = 0): Compare {
  const expected = expectationOf(golden);
  if (expected.kind !== 'values') throw new Error(`${golden.name} has no values to compare with`);
  return async (quantity, name, actual, bound, factor = () => 1) => {
    const output = expected.outputs[name];
    if (!output) throw new Error(`${golden.name} has no output ${name}`);
    const values = Float64Array.from(await numbers(actual), (value, i) => value * factor(i));
    const allowed = (i: number): number => bound(i) * Math.abs(factor(i)) + noise;
    const { dtype } = actual;
    compareOutput(ledger, quantity, values, output, allowed, `${golden.name} ${name}`, dtype as FloatDType);
  };
}

function compareOutput(
  ledger: Ledger,
  quantity: string,
  actual: ArrayLike<number>,
  output: GoldenOutput,
  bound: (i: number) => number,
  where: string,
  dtype: FloatDType,
): void {
  if ('data' in output) {
    ledger.checkAll(quantity, actual, output.data, bound, where, dtype);
    return;
  }
  const { index, value, rowSum } = output.summary;
  index.forEach((at, k) => {
    ledger.check(
      quantity,
      actual[at] as number,
      value[k] as number,
      bound(at),
      () => `${where}[${at}]`,
      dtype,
    );
  });
  // The row sums vouch for all the other places. In float64, so that the sum itself adds no error worth a mention.
  const width = output.shape.at(-1) as number;
  rowSum.forEach((exact, r) => {
    let sum = 0;
    let allowed = 0;
    for (let i = r * width; i < (r + 1) * width; i++) {
      sum += actual[i] as number;
      // A masked column has no bound: it is an infinity, and then so is the sum.
      const own = bound(i);
      if (Number.isFinite(own)) allowed += own;
    }
    ledger.check(`${quantity}, row sum`, sum, exact, allowed, `${where} row ${r}`);
  });
}
