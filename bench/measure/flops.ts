import type { Case, OpName } from './contender.js';

/** The multiplications and additions of a case's matrix products. */
export interface Flops {
  readonly flops: number;
  /** How they come about: `2·256·64·8192 logits + …`. */
  readonly formula: string;
}

/** What is made by a product, each of rows x features x classes multiplications and as many additions. */
const PRODUCTS: { readonly [O in OpName]?: readonly string[] } = {
  linearCrossEntropy: ['logits'],
  linearCrossEntropyGrad: ['logits', 'gradHidden', 'gradWeight'],
  matMul: ['logits'],
};

/** Undefined for what has no product. The softmax of the logits is not counted: some operations an element, where a product has hundreds. */
export function flopsOf({ op, rows, features = 0, classes }: Case): Flops | undefined {
  const products = PRODUCTS[op];
  if (products === undefined) return undefined;
  const factors = [2, rows, features, classes];
  return {
    flops: products.length * factors.reduce((product, factor) => product * factor),
    formula: products.map((name) => `${factors.join('·')} ${name}`).join(' + '),
  };
}
