import { InvalidArgumentError } from '../errors.js';
import { formatShape } from '../shape.js';
import { checkLength } from './check.js';
import { type CrossEntropyOptions, type CrossEntropyResult, crossEntropy } from './crossEntropy.js';

const OP = 'linearCrossEntropy';
/** Rows that go through the weights together. */
const ROWS = 8;

/** Options of `linearCrossEntropy`. */
export interface LinearCrossEntropyOptions extends Omit<CrossEntropyOptions, 'axis' | 'weight' | 'grad'> {
  /** Added to the logits, `[classes]`. */
  readonly bias?: ArrayLike<number> | undefined;
  /** Per-class weights, `[classes]`. */
  readonly classWeight?: ArrayLike<number> | undefined;
  /** The gradients that are wanted; default none. `true`: all. */
  readonly grad?: boolean | Partial<Record<'hidden' | 'weight' | 'bias', boolean>>;
  /** Entries of the logits' gradient up to this share of their row's factor of `p` count as 0; in [0, 1). Default 0: none does. */
  readonly gradFilter?: number | undefined;
}

/** What `linearCrossEntropy` gives. */
export interface LinearCrossEntropyResult extends Omit<CrossEntropyResult, 'grad' | 'gradTargets'> {
  /** `[rows, features]` */
  readonly gradHidden?: Float64Array;
  /** `[classes, features]` */
  readonly gradWeight?: Float64Array;
  /** `[classes]` */
  readonly gradBias?: Float64Array;
}

/**
 * `crossEntropy` of the logits hidden · weightᵀ + bias and its gradients, in float64; the logits of a few rows exist at a time. An ignored
 * row contributes nothing and has gradient 0, whatever it holds.
 *
 * @param hidden dense, [rows, features]
 * @param weight dense, [classes, features]
 * @param targets class indices, one a row
 * @param shape [rows, features, classes]
 * @throws InvalidArgumentError if an array does not fit, or an option is not usable
 */
export function linearCrossEntropy(
  hidden: ArrayLike<number>,
  weight: ArrayLike<number>,
  targets: Int32Array | Uint32Array,
  [rows, features, classes]: readonly [rows: number, features: number, classes: number],
  { bias, classWeight, grad = false, gradFilter = 0, ...options }: LinearCrossEntropyOptions = {},
): LinearCrossEntropyResult {
  checkLength(OP, 'hidden', hidden, [rows, features]);
  checkLength(OP, 'weight', weight, [classes, features]);
  if (features === 0 || classes === 0)
    fail(`shape ${formatShape([rows, features, classes])} has no feature or class.`);
  if (!(targets instanceof Int32Array || targets instanceof Uint32Array)) {
    fail('targets must be an Int32Array or Uint32Array of class indices.');
  }
  checkLength(OP, 'targets', targets, [rows]);
  if (bias) checkLength(OP, 'bias', bias, [classes]);
  if (classWeight) checkLength(OP, 'classWeight', classWeight, [classes]);
  if (!(gradFilter >= 0 && gradFilter < 1)) fail(`gradFilter must be in [0, 1), got ${gradFilter}.`);
  const { ignoreIndex = -100, reduction = 'mean', zLoss = 0, gradOutput = 1 } = options;
  const wanted =
    typeof grad === 'boolean' ? { hidden: grad, weight: grad, bias: grad && bias !== undefined } : grad;
  const backward = wanted.hidden || wanted.weight || wanted.bias || false;

  // What a mean divides by. Sums of parts then make up the whole: each part is a sum with its share of the upstream gradient.
  let [kept, weights] = [0, 0];
  let outOfRange: LinearCrossEntropyResult['outOfRange'];
  for (let row = 0; row < rows; row++) {
    const target = targets[row] as number;
    if (target === ignoreIndex) continue;
    if (target < 0 || target >= classes) {
      outOfRange ??= { row, value: target };
      continue;
    }
    kept += 1;
    weights += classWeight ? (classWeight[target] as number) : 1;
  }
  const [divisor, zDivisor] = reduction === 'mean' ? [weights, kept] : [1, 1];
  // The cross-entropy is divided by one number and the z-loss by another. Where no row counts, there is none.
  const zLossOfPart = zLoss === 0 || kept === 0 ? 0 : (zLoss * divisor) / zDivisor;

  // sum_j w_j q_j of a row, by its target.
  const { labelSmoothing = 0, temperature = 1 } = options;
  const evenly = classWeight ? sum(Float64Array.from(classWeight)) / classes : 1;
  const mass = (target: number): number =>
    (1 - labelSmoothing) * (classWeight ? (classWeight[target] as number) : 1) + labelSmoothing * evenly;

  const perRow = new Float64Array(rows);
  const logSumExp = new Float64Array(rows);
  const gradHidden = wanted.hidden ? new Float64Array(rows * features) : undefined;
  const gradWeight = wanted.weight ? new Float64Array(classes * features) : undefined;
  const gradBias = wanted.bias ? new Float64Array(classes) : undefined;
  const logits = new Float64Array(Math.min(ROWS, rows) * classes);
  for (let first = 0; first < rows; first += ROWS) {
    const count = Math.min(ROWS, rows - first);
    multiply(hidden, weight, bias, first, count, features, classes, logits);
    const part = logits.subarray(0, count * classes);
    const upstream = Float64Array.from(
      { length: count },
      (_, i) => (typeof gradOutput === 'number' ? gradOutput : (gradOutput[first + i] as number)) / divisor,
    );
    const result = crossEntropy(part, targets.slice(first, first + count), [count, classes], {
      ...options,
      weight: classWeight,
      reduction: 'none',
      zLoss: zLossOfPart,
      grad: backward,
      gradOutput: upstream,
    });
    perRow.set(result.loss, first);
    logSumExp.set(result.logSumExp, first);
    if (!result.grad) continue;
    for (let i = 0; i < count; i++) {
      const target = targets[first + i] as number;
      if (target === ignoreIndex) continue;
      const g = result.grad.subarray(i * classes, (i + 1) * classes);
      if (gradFilter > 0) {
        const lse = result.logSumExp[i] as number;
        const factor = ((upstream[i] as number) * (mass(target) + 2 * zLossOfPart * lse)) / temperature;
        dropSmall(g, gradFilter * Math.abs(factor));
      }
      backpropagate(g, hidden, weight, first + i, features, gradHidden, gradWeight, gradBias);
    }
  }
  return {
    loss: reduction === 'none' ? perRow : Float64Array.of(sum(perRow) / divisor),
    logSumExp,
    ...(gradHidden && { gradHidden }),
    ...(gradWeight && { gradWeight }),
    ...(gradBias && { gradBias }),
    ...(outOfRange && { outOfRange }),
  };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The logits of `count` rows. */
function multiply(
  hidden: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number> | undefined,
  first: number,
  count: number,
  features: number,
  classes: number,
  logits: Float64Array,
): void {
  for (let c = 0; c < classes; c++) {
    for (let i = 0; i < count; i++) {
      let dot = bias ? (bias[c] as number) : 0;
      const from = (first + i) * features;
      for (let d = 0; d < features; d++) {
        dot += (hidden[from + d] as number) * (weight[c * features + d] as number);
      }
      logits[i * classes + c] = dot;
    }
  }
}

/** What is not above `least` becomes 0; NaN and infinities never do. */
function dropSmall(g: Float64Array, least: number): void {
  const most = Math.min(least, Number.MAX_VALUE);
  for (let c = 0; c < g.length; c++) if (Math.abs(g[c] as number) <= most) g[c] = 0;
}

/** Adds what the gradient `g` of a row's logits gives to the gradients that are wanted. */
function backpropagate(
  g: Float64Array,
  hidden: ArrayLike<number>,
  weight: ArrayLike<number>,
  row: number,
  features: number,
  gradHidden: Float64Array | undefined,
  gradWeight: Float64Array | undefined,
  gradBias: Float64Array | undefined,
): void {
  const from = row * features;
  for (let c = 0; c < g.length; c++) {
    const pull = g[c] as number;
    if (gradBias) gradBias[c] = (gradBias[c] as number) + pull;
    for (let d = 0; d < features; d++) {
      const at = c * features + d;
      if (gradHidden) gradHidden[from + d] = (gradHidden[from + d] as number) + pull * (weight[at] as number);
      if (gradWeight) gradWeight[at] = (gradWeight[at] as number) + pull * (hidden[from + d] as number);
    }
  }
}

function fail(reason: string): never {
  throw new InvalidArgumentError(`${OP}: ${reason}`, { op: OP });
}
