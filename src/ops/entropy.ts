import { entropy as entropyOnCpu } from '../cpu/entropy.js';
import { checkOptions } from '../options.js';
import { entropyEpilogue } from '../plan/epilogue/entropy.js';
import { entropyStatistic } from '../plan/statistics.js';
import { type Layout, layoutOf, rowShape } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, inputRole, type Vector } from './call.js';
import { checkReduction, meanScale, type Reduction, reducePasses, upstreamOnCpu } from './reduction.js';

export interface EntropyOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
  /** Of the rows' entropies: `'mean'` (default), `'sum'` or `'none'`. */
  readonly reduction?: Reduction;
  /** Also the gradient with respect to the logits. Default false. */
  readonly grad?: boolean;
  /** Upstream gradient: a number or a tensor of shape [] if reduced; a number or one value a row for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

export interface EntropyResult {
  /** Shape [] if reduced, otherwise the logits' shape without the class axis; in nats. */
  readonly entropy: Tensor;
  /** With `grad`: the shape of the logits. */
  readonly grad?: Tensor;
}

/**
 * Entropy H(p) = -sum_j p_j log p_j of p = softmax(logits), in nats; 0 log 0 = 0.
 *
 * Computed as log S + sum_j p_j (max - x_j), two terms that are never negative, so that small entropies keep their digits.
 * A row with NaN, +Inf or only -Inf gives NaN. Gradient: p_j ((max - x_j) - sum_i p_i (max - x_i)).
 *
 * @param logits f32, any shape.
 * @throws InvalidArgumentError, LimitExceededError; `read()` tells of what goes wrong on the device.
 */
export async function entropy(logits: Tensor, options: EntropyOptions = {}): Promise<EntropyResult> {
  const op = 'entropy';
  checkOptions(op, options, ['axis', 'reduction', 'grad', 'gradOutput', ...CALL_OPTIONS]);
  const { axis, reduction = 'mean', grad = false, gradOutput = 1 } = options;
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  checkReduction(op, reduction);
  call.flag('grad', grad);
  const layout = layoutOf(op, logits.shape, axis);
  const upstream = call.upstream(gradOutput, reduction, rowShape(layout));
  const spec = entropySpec(layout, inputRole(op, 'logits', logits, layout), reduction, grad, upstream);
  const result = await call.run(spec);
  return {
    entropy: result['entropy'] as Tensor,
    ...(result['grad'] === undefined ? {} : { grad: result['grad'] }),
  };
}

function entropySpec(
  layout: Layout,
  logits: Role,
  reduction: Reduction,
  grad: boolean,
  gradOutput: number | Role,
): Spec {
  const { shape, axis, rows, classes, inner } = layout;
  const reduced = reduction !== 'none';
  const divisor = reduction === 'mean' ? rows : 1;
  return {
    op: 'entropy',
    roles: {
      logits,
      ...(typeof gradOutput === 'number' ? {} : { gradOutput }),
      entropy: { shape: reduced ? [] : rowShape(layout), dtype: 'f32', access: 'out' },
      ...(grad ? { grad: { shape, dtype: 'f32', access: 'out' } } : {}),
    },
    passes: (build) => {
      const losses = reduced ? build.scratchVector('losses', rows) : 'entropy';
      const rowPasses = build.build({
        rows: { count: rows, classes, inner },
        epilogue: entropyEpilogue,
        statistic: entropyStatistic,
        roles: {
          logits: 'logits',
          entropy: losses,
          ...(typeof gradOutput === 'number' ? {} : { gradOutput: 'gradOutput' }),
          ...(grad ? { grad: 'grad' } : {}),
        },
        constants: { gradOutput: typeof gradOutput === 'number' ? gradOutput : 0, divisor },
      });
      if (!reduced) return rowPasses;
      const scale = reduction === 'mean' ? meanScale(rows) : 1;
      return [
        ...rowPasses,
        ...reducePasses(build, { losses, loss: 'entropy', rows, divisor, census: false, scale }),
      ];
    },
    cpu: (arrays) => {
      const result = entropyOnCpu(arrays['logits'] as Float32Array, shape, {
        axis,
        reduction,
        grad,
        gradOutput: upstreamOnCpu(gradOutput, arrays),
      });
      arrays['entropy']?.set(result.entropy);
      if (result.grad !== undefined) arrays['grad']?.set(result.grad);
      return undefined;
    },
  };
}
