import { binaryCrossEntropy as binaryCrossEntropyOnCpu } from '../cpu/binaryCrossEntropy.js';
import type { TypedArray } from '../dtype.js';
import { checkOptions } from '../options.js';
import {
  binaryCrossEntropyEpilogue,
  binaryCrossEntropySumEpilogue,
} from '../plan/epilogue/binaryCrossEntropy.js';
import type { PassBuilder } from '../plan/pass.js';
import { sumStatistic } from '../plan/statistics.js';
import { elementCount } from '../shape.js';
import type { Role } from '../spec.js';
import type { Tensor } from '../tensor.js';
import { type Argument, CALL_OPTIONS, Call, type CallOptions, inputRole, type Vector } from './call.js';
import { checkReduction, meanScale, type Reduction, reducePasses, upstreamOnCpu } from './reduction.js';

export interface BinaryCrossEntropyOptions extends CallOptions {
  /** A weight for each element, the shape of the logits. */
  readonly weight?: Tensor | Float32Array;
  /** A weight of the positives for each class (the last axis), shape [classes]. */
  readonly posWeight?: Vector;
  /** Over all elements: `'mean'` (default), `'sum'`, or `'none'` for one loss an element. */
  readonly reduction?: Reduction;
  /** Also the gradients with respect to logits and targets. Default false. */
  readonly grad?: boolean;
  /** Upstream gradient: a number; a tensor of shape [] if reduced, of the logits' shape for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

export interface BinaryCrossEntropyResult {
  /** Shape [] if reduced, otherwise the shape of the logits. */
  readonly loss: Tensor;
  readonly grad?: Tensor;
  readonly gradTargets?: Tensor;
}

/**
 * Binary cross-entropy of logits for each element, as PyTorch's `binary_cross_entropy_with_logits`:
 * w ((1 - t) softplus(x) + posWeight t softplus(-x)). An infinite logit gives what IEEE arithmetic gives for PyTorch's form.
 *
 * @param logits f32, any shape.
 * @param targets f32, the shape of the logits; usually in [0, 1].
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export async function binaryCrossEntropy(
  logits: Tensor,
  targets: Tensor | Float32Array,
  options: BinaryCrossEntropyOptions = {},
): Promise<BinaryCrossEntropyResult> {
  const op = 'binaryCrossEntropy';
  checkOptions(op, options, ['weight', 'posWeight', 'reduction', 'grad', 'gradOutput', ...CALL_OPTIONS]);
  const { weight, posWeight, reduction = 'mean', grad = false, gradOutput = 1 } = options;
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  checkReduction(op, reduction);
  call.flag('grad', grad);
  const { shape } = logits;
  const elements = elementCount(shape);
  const classes = shape.at(-1) ?? 1;
  const rows = classes === 0 ? 0 : elements / classes;
  const layout = { shape, axis: shape.length - 1, outer: rows, classes, inner: 1, rows };
  const read = (name: string, tensor: Argument): Role => inputRole(op, name, tensor, layout);

  const roles: Record<string, Role> = {
    logits: read('logits', logits),
    targets: read('targets', call.vector('targets', targets, ['f32'], [shape])),
  };
  if (weight !== undefined) roles['weight'] = read('weight', call.vector('weight', weight, ['f32'], [shape]));
  if (posWeight !== undefined) {
    roles['posWeight'] = inputRole(
      op,
      'posWeight',
      call.vector('posWeight', posWeight, ['f32'], [[classes]]),
    );
  }
  const upstream = call.upstream(gradOutput, reduction, shape);
  if (typeof upstream !== 'number') roles['gradOutput'] = upstream;
  const reduced = reduction !== 'none';
  roles['loss'] = { shape: reduced ? [] : shape, dtype: 'f32', access: 'out' };
  if (grad) {
    roles['grad'] = { shape, dtype: 'f32', access: 'out' };
    roles['gradTargets'] = { shape, dtype: 'f32', access: 'out' };
  }

  const passes = (build: PassBuilder) => {
    const divisor = reduction === 'mean' ? elements : 1;
    const scale = reduction === 'mean' ? meanScale(elements) : 1;
    const losses = build.scratchVector('losses', rows);
    const named = ['logits', 'targets', 'weight', 'posWeight', 'grad', 'gradTargets'];
    const upstreamAs = reduced ? 'upstream' : 'gradOutput';
    const rowPasses = build.build({
      rows: { count: rows, classes, inner: 1 },
      epilogue: reduced ? binaryCrossEntropySumEpilogue : binaryCrossEntropyEpilogue,
      ...(reduced ? { statistic: sumStatistic } : {}),
      roles: {
        ...Object.fromEntries(named.filter((name) => name in roles).map((name) => [name, name])),
        ...('gradOutput' in roles ? { [upstreamAs]: 'gradOutput' } : {}),
        ...(reduced ? { losses } : { loss: 'loss' }),
      },
      flags: { TARGET_GRADIENT: grad, POS_WEIGHT: posWeight !== undefined },
      constants: {
        gradOutput: typeof upstream === 'number' ? upstream : 1,
        divisor,
        prescale: 1 / scale,
      },
    });
    if (!reduced) return rowPasses;
    const last = reducePasses(build, {
      losses,
      loss: 'loss',
      rows,
      divisor,
      census: false,
      scale,
      scaled: true,
    });
    return [...rowPasses, ...last];
  };

  const cpu = (arrays: Readonly<Record<string, TypedArray>>): undefined => {
    const result = binaryCrossEntropyOnCpu(
      arrays['logits'] as Float32Array,
      arrays['targets'] as Float32Array,
      shape,
      {
        reduction,
        grad,
        gradOutput: upstreamOnCpu(upstream, arrays),
        ...(arrays['weight'] === undefined ? {} : { weight: arrays['weight'] }),
        ...(arrays['posWeight'] === undefined ? {} : { posWeight: arrays['posWeight'] }),
      },
    );
    arrays['loss']?.set(result.loss);
    if (result.grad !== undefined) arrays['grad']?.set(result.grad);
    if (result.gradTargets !== undefined) arrays['gradTargets']?.set(result.gradTargets);
  };

  const { loss, grad: gradient, gradTargets } = await call.run({ op, roles, passes, cpu });
  return {
    loss: loss as Tensor,
    ...(gradient === undefined ? {} : { grad: gradient }),
    ...(gradTargets === undefined ? {} : { gradTargets }),
  };
}
