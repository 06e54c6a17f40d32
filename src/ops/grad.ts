import { logSumExpGrad as logSumExpGradOnCpu } from '../cpu/logSumExp.js';
import { logSoftmaxGrad as logSoftmaxGradOnCpu, softmaxGrad as softmaxGradOnCpu } from '../cpu/softmax.js';
import { checkOptions } from '../options.js';
import { logSoftmaxGradEpilogue } from '../plan/epilogue/logSoftmaxGrad.js';
import { logSumExpGradEpilogue } from '../plan/epilogue/logSumExpGrad.js';
import { softmaxGradEpilogue } from '../plan/epilogue/softmaxGrad.js';
import { sumStatistic } from '../plan/statistics.js';
import type { Epilogue } from '../plan/variant.js';
import { layoutOf, rowShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, inputRole, type Vector } from './call.js';

export interface GradOptions extends CallOptions {
  /** The class axis; default -1, the last. */
  readonly axis?: number;
}

/**
 * Gradient of `softmax` with respect to the logits: p_j (g_j - sum_i p_i g_i).
 *
 * @param probs What `softmax` returned, f32.
 * @param gradOutput Upstream gradient, f32, the shape of `probs`.
 * @returns f32, the shape of `probs`.
 * @throws InvalidArgumentError, LimitExceededError.
 */
export function softmaxGrad(probs: Tensor, gradOutput: Tensor, options: GradOptions = {}): Promise<Tensor> {
  return fromOutput(
    'softmaxGrad',
    'probs',
    softmaxGradEpilogue,
    softmaxGradOnCpu,
    probs,
    gradOutput,
    options,
  );
}

/**
 * Gradient of `logSoftmax` with respect to the logits: g_j - exp(log p_j) sum_i g_i.
 *
 * @param logProbs What `logSoftmax` returned, f32.
 * @param gradOutput Upstream gradient, f32, the shape of `logProbs`.
 * @returns f32, the shape of `logProbs`.
 * @throws InvalidArgumentError, LimitExceededError.
 */
export function logSoftmaxGrad(
  logProbs: Tensor,
  gradOutput: Tensor,
  options: GradOptions = {},
): Promise<Tensor> {
  return fromOutput(
    'logSoftmaxGrad',
    'logProbs',
    logSoftmaxGradEpilogue,
    logSoftmaxGradOnCpu,
    logProbs,
    gradOutput,
    options,
  );
}

/** A gradient that needs the forward result and the upstream gradient, both of the logits' shape. */
async function fromOutput(
  op: string,
  name: 'probs' | 'logProbs',
  epilogue: Epilogue,
  onCpu: typeof softmaxGradOnCpu,
  forward: Tensor,
  gradOutput: Tensor,
  options: GradOptions,
): Promise<Tensor> {
  checkOptions(op, options, ['axis', ...CALL_OPTIONS]);
  const call = new Call(op, name, forward, options);
  call.matrix(name, forward);
  call.matrix('gradOutput', gradOutput, forward.shape);
  const layout = layoutOf(op, forward.shape, options.axis);
  const { shape, axis, rows, classes, inner } = layout;
  const { grad } = await call.run({
    op,
    roles: {
      [name]: inputRole(op, name, forward, layout),
      gradOutput: inputRole(op, 'gradOutput', gradOutput, layout),
      grad: { shape, dtype: forward.dtype, access: 'out' },
    },
    passes: (build) =>
      build.build({
        rows: { count: rows, classes, inner },
        epilogue,
        statistic: sumStatistic,
        roles: { [name]: name, gradOutput: 'gradOutput', grad: 'grad' },
      }),
    cpu: (arrays) => {
      const [result, upstream] = [arrays[name] as Float32Array, arrays['gradOutput'] as Float32Array];
      (arrays['grad'] as Float32Array).set(onCpu(result, upstream, shape, { axis }));
      return undefined;
    },
  });
  return grad as Tensor;
}

/**
 * Gradient of `logSumExp` with respect to the logits: g exp(x_j - lse).
 *
 * As exact as the lse that is given: rounded to f32, an lse of size 1e4 makes a relative error of 5e-4. Where that matters, use
 * `softmax`.
 *
 * @param logits f32, any shape.
 * @param lse What `logSumExp` returned, one value a row (with or without `keepDims`).
 * @param gradOutput Upstream gradient, one value a row.
 * @returns f32, the shape of the logits.
 * @throws InvalidArgumentError, LimitExceededError.
 */
export async function logSumExpGrad(
  logits: Tensor,
  lse: Vector,
  gradOutput: Vector,
  options: GradOptions = {},
): Promise<Tensor> {
  const op = 'logSumExpGrad';
  checkOptions(op, options, ['axis', ...CALL_OPTIONS]);
  const call = new Call(op, 'logits', logits, options);
  call.matrix('logits', logits);
  const layout = layoutOf(op, logits.shape, options.axis);
  const { shape, axis, rows, classes, inner } = layout;
  const perRow = [rowShape(layout), rowShape(layout, true)];
  const lseTensor = call.vector('lse', lse, ['f32'], perRow);
  const upstream = call.vector('gradOutput', gradOutput, ['f32'], perRow);
  const { grad } = await call.run({
    op,
    roles: {
      logits: inputRole(op, 'logits', logits, layout),
      lse: inputRole(op, 'lse', lseTensor),
      gradOutput: inputRole(op, 'gradOutput', upstream),
      grad: { shape, dtype: logits.dtype, access: 'out' },
    },
    passes: (build) =>
      build.build({
        rows: { count: rows, classes, inner },
        epilogue: logSumExpGradEpilogue,
        roles: { logits: 'logits', lse: 'lse', gradOutput: 'gradOutput', grad: 'grad' },
      }),
    cpu: (arrays) => {
      const [x, l, g] = [arrays['logits'], arrays['lse'], arrays['gradOutput']] as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      (arrays['grad'] as Float32Array).set(logSumExpGradOnCpu(x, l, g, shape, { axis }));
      return undefined;
    },
  });
  return grad as Tensor;
}
