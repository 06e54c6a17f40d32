import { FLOATS, isFloat } from '../dtype.js';
import { invalid } from '../errors.js';
import { checkOptions } from '../options.js';
import { type Layout, layoutOf, rowShape } from '../shape.js';
import { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, type IndexTargets, inputRole, type Vector } from './call.js';
import { crossEntropySpec } from './crossEntropySpec.js';
import { checkReduction, type Reduction } from './reduction.js';
import { checkScale } from './temperature.js';

/** Options that shape the loss, shared by `crossEntropy` and `planCrossEntropy`. */
export interface CrossEntropyTerms {
  /** The class axis; default -1. `1` for PyTorch's (N, C, d1, …) layout. */
  readonly axis?: number;
  /** Class-index targets equal to it contribute nothing, and their gradient is exactly 0. Default -100. */
  readonly ignoreIndex?: number;
  /** In [0, 1]: the share of the target that is spread evenly over all classes. Default 0. */
  readonly labelSmoothing?: number;
  /** The logits are divided by it first; above 0. Default 1. */
  readonly temperature?: number;
  /** Then they become `softcap * tanh(x / softcap)`; above 0. Default none. */
  readonly softcap?: number;
  /** Adds `zLoss * logSumExp(x)^2` for each kept row; for `'mean'` divided by their number. Default 0. */
  readonly zLoss?: number;
  /**
   * `'mean'` (default) divides by the weight of the kept rows (class indices) or by the number of rows (probabilities);
   * `'sum'` adds up; `'none'` gives one loss a row.
   */
  readonly reduction?: Reduction;
  /** `true`: also the gradient of the (reduced) loss. `'in-place'`: written over the logits. Default false. */
  readonly grad?: boolean | 'in-place';
  /** With `grad` and probabilities: also the gradient with respect to the targets. Default true; in a plan false. */
  readonly gradTargets?: boolean;
  /** Also the log-sum-exp of each row. Default false. */
  readonly returnLogSumExp?: boolean;
}

export interface CrossEntropyOptions extends CrossEntropyTerms, CallOptions {
  /** A weight for each class, shape [classes]. */
  readonly weight?: Vector;
  /** Upstream gradient: a number or a tensor of shape [] for a reduced loss; a number or one value a row for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

/** What `crossEntropy` gives. */
export interface CrossEntropyResult {
  /** Shape [] if reduced, otherwise the logits' shape without the class axis. */
  readonly loss: Tensor;
  /** With `grad`: the gradient with respect to the logits. In place, it is the logits' own tensor. */
  readonly grad?: Tensor;
  /** With `grad` and probabilities: the gradient with respect to the targets. */
  readonly gradTargets?: Tensor;
  /** With `returnLogSumExp`: one value a row. */
  readonly logSumExp?: Tensor;
}

/** The options of `CrossEntropyTerms`. */
export const TERMS: readonly string[] = [
  'axis',
  'ignoreIndex',
  'labelSmoothing',
  'temperature',
  'softcap',
  'zLoss',
  'reduction',
  'grad',
  'gradTargets',
  'returnLogSumExp',
];

/**
 * Cross-entropy of softmax(logits) against targets, and its gradient: sum_j q_j (lse(x) - x_j) for each row, where q is the target
 * distribution: 1 at the class index, or the probabilities given, after label smoothing and class weights.
 *
 * As PyTorch's `cross_entropy`, with three documented differences: an ignored row has gradient 0 whatever it holds; probability 0 at
 * a logit of -Inf contributes 0; a target out of range makes its row NaN and `read()` reject with `TargetOutOfRangeError`.
 *
 * Reads the logits twice and writes the gradient once; the mean, its divisor and all else stay on the device.
 *
 * @param logits f32, f16 or bf16, any shape.
 * @param targets i32 or u32: class indices, the logits' shape without the class axis. A float: probabilities, the shape of the logits.
 * @returns Tensors on the device; the caller destroys them.
 * @throws InvalidArgumentError, LimitExceededError before anything is submitted; `read()` tells of what goes wrong on the device.
 */
export async function crossEntropy(
  logits: Tensor,
  targets: IndexTargets | Tensor | Float32Array,
  options: CrossEntropyOptions = {},
): Promise<CrossEntropyResult> {
  const op = 'crossEntropy';
  checkOptions(op, options, ['weight', 'gradOutput', ...TERMS, ...CALL_OPTIONS]);
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  const layout = layoutOf(op, logits.shape, options.axis);
  const perRow = rowShape(layout);
  const isProbs = targets instanceof Float32Array || (targets instanceof Tensor && isFloat(targets.dtype));
  const targetTensor = isProbs
    ? call.vector('targets', targets, FLOATS, [layout.shape])
    : call.vector('targets', targets, ['i32', 'u32'], [perRow]);
  const terms = checkTerms(op, options, layout, isProbs);
  const { weight, gradOutput = 1 } = options;
  const weightTensor =
    weight === undefined ? undefined : call.vector('weight', weight, ['f32'], [[layout.classes]]);
  const spec = crossEntropySpec({
    ...terms,
    layout,
    logits: inputRole(op, 'logits', logits, layout),
    targets: inputRole(op, 'targets', targetTensor, isProbs ? layout : undefined),
    weight: weightTensor === undefined ? undefined : inputRole(op, 'weight', weightTensor),
    gradOutput: call.upstream(gradOutput, terms.reduction, perRow),
  });
  const { loss, grad, logits: inPlace, gradTargets, logSumExp } = await call.run(spec);
  const gradient = grad ?? inPlace;
  return {
    loss: loss as Tensor,
    ...(gradient === undefined ? {} : { grad: gradient }),
    ...(gradTargets === undefined ? {} : { gradTargets }),
    ...(logSumExp === undefined ? {} : { logSumExp }),
  };
}

/** Checks the terms and fills in their defaults. */
export function checkTerms(
  op: string,
  terms: CrossEntropyTerms,
  layout: Layout,
  isProbs: boolean,
): Omit<Required<CrossEntropyTerms>, 'axis' | 'softcap'> & { readonly softcap: number | undefined } {
  const { ignoreIndex, labelSmoothing = 0, reduction = 'mean', grad = false } = terms;
  const { gradTargets = true, returnLogSumExp = false } = terms;
  const { temperature = 1, softcap, zLoss = 0 } = terms;
  const fail = (message: string): never => {
    invalid(op, message, { shapes: { logits: layout.shape } });
  };
  if (ignoreIndex !== undefined && !Number.isSafeInteger(ignoreIndex)) {
    fail(`ignoreIndex is ${String(ignoreIndex)}; use a whole number.`);
  }
  if (isProbs && ignoreIndex !== undefined && ignoreIndex >= 0) {
    fail('ignoreIndex names a class index, but the targets are probabilities; leave it out.');
  }
  if (typeof labelSmoothing !== 'number' || !(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    fail(`labelSmoothing is ${String(labelSmoothing)}; use a number from 0 to 1.`);
  }
  checkScale(op, 'temperature', temperature);
  if (softcap !== undefined) {
    checkScale(op, 'softcap', softcap);
    checkScale(op, 'softcap * temperature', softcap * temperature);
  }
  if (typeof zLoss !== 'number' || !Number.isFinite(Math.fround(zLoss))) {
    fail(`zLoss is ${String(zLoss)}; use a finite number.`);
  }
  checkReduction(op, reduction);
  if (typeof grad !== 'boolean' && grad !== 'in-place')
    fail(`grad is '${String(grad)}'; use true, false or 'in-place'.`);
  for (const [name, value] of Object.entries({ gradTargets, returnLogSumExp })) {
    if (typeof value !== 'boolean') fail(`${name} must be true or false.`);
  }
  return {
    ignoreIndex: ignoreIndex ?? -100,
    labelSmoothing,
    temperature,
    softcap,
    zLoss,
    reduction,
    grad,
    gradTargets: gradTargets && grad !== false && isProbs,
    returnLogSumExp,
  };
}
