import { nllLoss as nllLossOnCpu } from '../cpu/nllLoss.js';
import type { TypedArray } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { checkOptions } from '../options.js';
import { nllLossEpilogue } from '../plan/epilogue/nllLoss.js';
import type { PassBuilder } from '../plan/pass.js';
import { layoutOf, rowShape } from '../shape.js';
import type { Role } from '../spec.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, type IndexTargets, inputRole, type Vector } from './call.js';
import { censusPasses, ignoredConstant } from './census.js';
import { checkReduction, meanScale, type Reduction, reducePasses, upstreamOnCpu } from './reduction.js';

export interface NllLossOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
  /** A weight for each class, shape [classes]. */
  readonly weight?: Vector;
  /** Targets equal to it contribute nothing, and their gradient is exactly 0. Default -100. */
  readonly ignoreIndex?: number;
  /** `'mean'` (default) divides by the weight of the kept rows; `'sum'` adds up; `'none'` gives one loss a row. */
  readonly reduction?: Reduction;
  /** Also the gradient with respect to the log-probabilities. Default false. */
  readonly grad?: boolean;
  /** Upstream gradient: a number or a tensor of shape [] if reduced; a number or one value a row for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

export interface NllLossResult {
  /** Shape [] if reduced, otherwise the shape of the log-probabilities without the class axis. */
  readonly loss: Tensor;
  /** With `grad`: the shape of the log-probabilities. */
  readonly grad?: Tensor;
}

/**
 * Negative log-likelihood -w_t logProbs_t of class-index targets, as PyTorch's `nll_loss`.
 *
 * Takes whatever `logProbs` holds; `logSoftmax` makes them, and `crossEntropy` does both in one go.
 *
 * @param logProbs f32, any shape.
 * @param targets i32 or u32: class indices, the shape without the class axis. One out of range makes its row NaN, and `read()` reject
 *   with `TargetOutOfRangeError`.
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export async function nllLoss(
  logProbs: Tensor,
  targets: IndexTargets,
  options: NllLossOptions = {},
): Promise<NllLossResult> {
  const op = 'nllLoss';
  checkOptions(op, options, [
    'axis',
    'weight',
    'ignoreIndex',
    'reduction',
    'grad',
    'gradOutput',
    ...CALL_OPTIONS,
  ]);
  const { axis, weight, ignoreIndex = -100, reduction = 'mean', grad = false, gradOutput = 1 } = options;
  const call = new Call(op, 'logProbs', logProbs, options);
  call.matrix('logProbs', logProbs);
  checkReduction(op, reduction);
  call.flag('grad', grad);
  if (!Number.isSafeInteger(ignoreIndex)) {
    throw new InvalidArgumentError(`${op}: ignoreIndex is ${String(ignoreIndex)}; use a whole number.`, {
      op,
    });
  }
  const layout = layoutOf(op, logProbs.shape, axis);
  const { shape, rows, classes, inner } = layout;
  const perRow = rowShape(layout);
  const targetTensor = call.vector('targets', targets, ['i32', 'u32'], [perRow]);
  const targetRole = inputRole(op, 'targets', targetTensor);
  const weightTensor = weight === undefined ? undefined : call.vector('weight', weight, ['f32'], [[classes]]);
  const upstream = call.upstream(gradOutput, reduction, perRow);
  const reduced = reduction !== 'none';
  const hasWeight = weightTensor !== undefined;

  const passes = (build: PassBuilder) => {
    const ignored = ignoredConstant(targetRole, ignoreIndex);
    const divisor = reduction === 'mean' ? rows : 1;
    const census = reduction === 'mean' && rows > 0;
    const counted = censusPasses(build, { rows, classes, weighted: hasWeight, ignored });
    const losses = reduced ? build.scratchVector('losses', rows) : 'loss';
    const rowPasses = build.build({
      rows: { count: rows, classes, inner },
      epilogue: nllLossEpilogue,
      roles: {
        logProbs: 'logProbs',
        targets: 'targets',
        loss: losses,
        ...(hasWeight ? { weight: 'weight' } : {}),
        ...(typeof upstream === 'number' ? {} : { gradOutput: 'gradOutput' }),
        ...(census ? { census: 'census' } : {}),
        ...(grad ? { grad: 'grad' } : {}),
      },
      constants: { ...ignored, gradOutput: typeof upstream === 'number' ? upstream : 0, divisor },
    });
    const scale = reduction === 'mean' ? meanScale(rows) : 1;
    const last = reduced ? reducePasses(build, { losses, loss: 'loss', rows, divisor, census, scale }) : [];
    return [...counted, ...rowPasses, ...last];
  };

  const cpu = (arrays: Readonly<Record<string, TypedArray>>) => {
    const result = nllLossOnCpu(
      arrays['logProbs'] as Float32Array,
      arrays['targets'] as Int32Array | Uint32Array,
      shape,
      {
        axis: layout.axis,
        ignoreIndex,
        reduction,
        grad,
        gradOutput: upstreamOnCpu(upstream, arrays),
        ...(arrays['weight'] === undefined ? {} : { weight: arrays['weight'] }),
      },
    );
    arrays['loss']?.set(result.loss);
    if (result.grad !== undefined) arrays['grad']?.set(result.grad);
    return result.outOfRange;
  };

  const result = (shape: readonly number[]): Role => ({ shape, dtype: 'f32', access: 'out' });
  const { loss, grad: gradient } = await call.run({
    op,
    roles: {
      logProbs: inputRole(op, 'logProbs', logProbs, layout),
      targets: targetRole,
      ...(weightTensor === undefined ? {} : { weight: inputRole(op, 'weight', weightTensor) }),
      ...(typeof upstream === 'number' ? {} : { gradOutput: upstream }),
      loss: result(reduced ? [] : perRow),
      ...(grad ? { grad: result(shape) } : {}),
    },
    passes,
    cpu,
    ...(rows > 0 ? { targetClasses: classes } : {}),
  });
  return { loss: loss as Tensor, ...(gradient === undefined ? {} : { grad: gradient }) };
}
