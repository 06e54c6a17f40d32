import { InvalidArgumentError } from '../errors.js';
import { formatShape, type Layout, rowShape } from '../shape.js';
import { checkedLayout, checkLength, checkPositive } from './check.js';
import type { CrossEntropyOptions, Reduction } from './crossEntropy.js';

const OP = 'crossEntropy';

/** A call of `crossEntropy` with its arguments checked and its defaults filled in. */
export interface CrossEntropyCall {
  readonly layout: Layout;
  readonly logits: ArrayLike<number>;
  /** Class indices, one a row; or `probs` is there. */
  readonly indices: Int32Array | Uint32Array | undefined;
  readonly probs: Float32Array | Float64Array | undefined;
  readonly weight: ArrayLike<number> | undefined;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly reduction: Reduction;
  readonly temperature: number;
  readonly softcap: number | undefined;
  readonly zLoss: number;
  readonly gradOutput: number | ArrayLike<number>;
}

/** Throws `InvalidArgumentError` at the first argument that does not fit. */
export function prepare(
  logits: ArrayLike<number>,
  targets: Int32Array | Uint32Array | Float32Array | Float64Array,
  shape: readonly number[],
  options: CrossEntropyOptions,
): CrossEntropyCall {
  const layout = checkedLayout(OP, shape, options.axis);
  checkLength(OP, 'logits', logits, shape);
  const perRow = rowShape(layout);
  const indices = targets instanceof Int32Array || targets instanceof Uint32Array ? targets : undefined;
  const probs = targets instanceof Float32Array || targets instanceof Float64Array ? targets : undefined;
  if (indices) checkLength(OP, 'targets', indices, perRow);
  else if (probs) checkLength(OP, 'targets', probs, shape);
  else fail('targets must be an Int32Array or Uint32Array of class indices, or float probabilities.');

  const { weight, ignoreIndex = -100, labelSmoothing = 0, reduction = 'mean' } = options;
  const { temperature = 1, softcap, zLoss = 0, gradOutput = 1 } = options;
  if (weight) checkLength(OP, 'weight', weight, [layout.classes]);
  if (!Number.isSafeInteger(ignoreIndex)) fail(`ignoreIndex must be a whole number, got ${ignoreIndex}.`);
  if (probs && ignoreIndex >= 0) {
    fail(`ignoreIndex ${ignoreIndex} names a class, but the targets are probabilities; leave it out.`);
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    fail(`labelSmoothing must be in [0, 1], got ${labelSmoothing}.`);
  }
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum') {
    fail(`reduction must be 'none', 'mean' or 'sum', got ${String(reduction)}.`);
  }
  checkPositive(OP, 'temperature', temperature);
  if (softcap !== undefined) checkPositive(OP, 'softcap', softcap);
  if (!Number.isFinite(zLoss)) fail(`zLoss must be a finite number, got ${zLoss}.`);
  if (typeof gradOutput !== 'number') {
    if (reduction !== 'none') {
      fail(
        `gradOutput must be a number for reduction '${reduction}'; one value a row ${formatShape(perRow)} needs 'none'.`,
      );
    }
    checkLength(OP, 'gradOutput', gradOutput, perRow);
  }
  return {
    layout,
    logits,
    indices,
    probs,
    weight,
    ignoreIndex,
    labelSmoothing,
    reduction,
    temperature,
    softcap,
    zLoss,
    gradOutput,
  };
}

/** The upstream gradient of row `r`. */
export function upstreamOf({ gradOutput }: CrossEntropyCall, r: number): number {
  return typeof gradOutput === 'number' ? gradOutput : (gradOutput[r] as number);
}

function fail(reason: string): never {
  throw new InvalidArgumentError(`${OP}: ${reason}`, { op: OP });
}

/** In place of a class: the row is ignored. */
export const IGNORED = -1;
/** In place of a class: the row's target is out of range. */
export const OUT_OF_RANGE = -2;

export interface ClassifiedTargets {
  /** One a row: the class, `IGNORED` or `OUT_OF_RANGE`. */
  readonly classes: Int32Array;
  /** Rows with a class. */
  readonly kept: number;
  /** Sum of those rows' class weights; their number without weights. */
  readonly weightSum: number;
  readonly outOfRange: { readonly row: number; readonly value: number } | undefined;
}

/** A target equal to `ignoreIndex` is ignored even if it is a class. */
export function classifyTargets(
  call: CrossEntropyCall,
  targets: Int32Array | Uint32Array,
): ClassifiedTargets {
  const { layout, weight, ignoreIndex } = call;
  const classes = new Int32Array(layout.rows);
  let kept = 0;
  let weightSum = 0;
  let outOfRange: ClassifiedTargets['outOfRange'];
  for (let row = 0; row < layout.rows; row++) {
    const value = targets[row] as number;
    if (value === ignoreIndex) {
      classes[row] = IGNORED;
    } else if (value < 0 || value >= layout.classes) {
      classes[row] = OUT_OF_RANGE;
      outOfRange ??= { row, value };
    } else {
      classes[row] = value;
      kept++;
      weightSum += weight ? (weight[value] as number) : 1;
    }
  }
  return { classes, kept, weightSum, outOfRange };
}
