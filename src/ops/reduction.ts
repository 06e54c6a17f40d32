import { invalid } from '../errors.js';
import { checkFlag } from '../options.js';

/** What becomes of one value a row: kept, averaged, or added up. */
export type Reduction = 'none' | 'mean' | 'sum';

/** Throws `InvalidArgumentError` unless `reduction` is one. */
export function checkReduction(op: string, reduction: Reduction): void {
  if (['none', 'mean', 'sum'].includes(reduction)) return;
  invalid(op, `reduction is '${String(reduction)}'; use 'none', 'mean' or 'sum'.`);
}

/** What all ops with a reduction can be asked for. */
export interface ReductionTerms {
  readonly reduction: Reduction;
  readonly grad: boolean;
}

/** Checks the terms and fills in their defaults. */
export function checkReductionTerms(
  op: string,
  { reduction = 'mean', grad = false }: Partial<ReductionTerms>,
): ReductionTerms {
  checkReduction(op, reduction);
  checkFlag(op, 'grad', grad);
  return { reduction, grad };
}
