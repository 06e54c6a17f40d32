import { checkShape, elementCount } from '../shape.js';
import { checkLength } from './check.js';
import { checkReduction, type ReductionOptions, reduce, upstreamAt } from './reduction.js';

export interface BinaryCrossEntropyOptions extends ReductionOptions {
  /** A weight for each element, values of the logits' shape. */
  readonly weight?: ArrayLike<number> | undefined;
  /** Weight of the positive class, one value for each index of the last axis. */
  readonly posWeight?: ArrayLike<number> | undefined;
}

/** What `binaryCrossEntropy` gives. */
export interface BinaryCrossEntropyResult {
  /** In nats: values of the logits' shape for 'none', otherwise one value. */
  readonly loss: Float64Array;
  /** With respect to the logits, their shape. */
  readonly grad?: Float64Array;
  /** With respect to the targets, their shape. */
  readonly gradTargets?: Float64Array;
}

/**
 * Binary cross-entropy of `sigmoid(logits)` relative to the targets, element by element, and its gradients, in float64:
 * PyTorch's `binary_cross_entropy_with_logits`. With `softplus(x) = log(1 + e^x)` and `a` the weight of the positive class,
 *
 *     loss = w ((1 - t) softplus(x) + a t softplus(-x))
 *     dloss/dx = w ((1 - t) sigmoid(x) - a t sigmoid(-x))
 *     dloss/dt = w (a softplus(-x) - softplus(x)),   -w x without `posWeight`
 *
 * The first is PyTorch's `(1 - t) x - (1 + (a - 1) t) log sigmoid(x)` without its cancellation: a loss of 1e-20 keeps its
 * digits on both sides. A mean divides by the number of elements, whatever their weights.
 *
 * A NaN spoils its own element alone. At an infinite logit the loss is what PyTorch's form gives in IEEE arithmetic:
 * Infinity at +Infinity for a target below 1, otherwise NaN (a target of 1 at +Infinity, which is `0 Infinity`, and
 * any probability at -Infinity); the gradients are the limits. A mean over no element is NaN.
 *
 * @param logits dense, row-major values of `shape`
 * @param targets probabilities, values of `shape`
 * @throws InvalidArgumentError if an array does not fit `shape`, or an option is not usable
 */
export function binaryCrossEntropy(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  shape: readonly number[],
  options: BinaryCrossEntropyOptions = {},
): BinaryCrossEntropyResult {
  const op = 'binaryCrossEntropy';
  checkShape(op, 'shape', shape);
  checkLength(op, 'logits', logits, shape);
  checkLength(op, 'targets', targets, shape);
  const { weight, posWeight } = options;
  const classes = shape.at(-1) ?? 1;
  if (weight) checkLength(op, 'weight', weight, shape);
  if (posWeight) checkLength(op, 'posWeight', posWeight, [classes]);
  const { reduction, gradOutput } = checkReduction(op, options, shape);
  const count = elementCount(shape);
  const divisor = reduction === 'mean' ? count : 1;
  const loss = new Float64Array(count);
  const grad = options.grad ? new Float64Array(count) : undefined;
  const gradTargets = grad ? new Float64Array(count) : undefined;

  for (let i = 0; i < count; i++) {
    const x = logits[i] as number;
    const t = targets[i] as number;
    const w = weight ? (weight[i] as number) : 1;
    const a = posWeight ? (posWeight[i % classes] as number) : 1;
    const e = Math.exp(-Math.abs(x));
    const tail = Math.log1p(e);
    const up = Math.max(x, 0) + tail; // softplus(x)
    const down = Math.max(-x, 0) + tail; // softplus(-x)
    loss[i] =
      w *
      (Math.abs(x) === Number.POSITIVE_INFINITY
        ? (1 - t) * x + (1 + (a - 1) * t) * down
        : (1 - t) * up + a * t * down);
    if (!(grad && gradTargets)) continue;
    const scale = (upstreamAt(gradOutput, i) / divisor) * w;
    const on = (x >= 0 ? 1 : e) / (1 + e); // sigmoid(x)
    const off = (x >= 0 ? e : 1) / (1 + e); // sigmoid(-x)
    grad[i] = scale * ((1 - t) * on - a * t * off);
    gradTargets[i] = scale * (posWeight ? a * down - up : -x);
  }
  return {
    loss: reduce(loss, reduction, divisor),
    ...(grad && { grad }),
    ...(gradTargets && { gradTargets }),
  };
}
