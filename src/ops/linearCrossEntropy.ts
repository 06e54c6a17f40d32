import type { Context } from '../context.js';
import { FLOATS, type FloatDType, isFloat } from '../dtype.js';
import { invalid } from '../errors.js';
import { checkFlag, checkOptions } from '../options.js';
import type { Policy } from '../plan/policy.js';
import { checkShape, formatShape, type Layout, layoutOf, rowShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { CALL_OPTIONS, Call, type CallOptions, type IndexTargets, inputRole, type Vector } from './call.js';
import { type CrossEntropyTerms, checkTerms } from './crossEntropy.js';
import { type LinearCrossEntropySettings, linearCrossEntropySpec } from './linearCrossEntropySpec.js';
import { makeExecutable, type OpPlan, type PlanBinding } from './plan.js';
import { indicesRole, optionalRole, upstreamOf } from './planRoles.js';
import { denseRole } from './roles.js';

/** Options that shape the loss, shared by `linearCrossEntropy` and `planLinearCrossEntropy`. */
export interface LinearCrossEntropyTerms extends Omit<CrossEntropyTerms, 'axis' | 'grad' | 'gradTargets'> {
  /** Also the gradients of the (reduced) loss: all that the next three options do not turn off. Default false. */
  readonly grad?: boolean;
  /** With `grad`: with respect to the hidden states. False for frozen ones: one product less. Default true. */
  readonly gradHidden?: boolean;
  /** With `grad`: with respect to the weights. False for frozen ones: one product less. Default true. */
  readonly gradWeight?: boolean;
  /** With `grad` and a bias: with respect to it. Default true. */
  readonly gradBias?: boolean;
  /**
   * With `grad`: entries of the gradient with respect to the logits up to this share of their row's factor count as exactly 0, and the
   * products skip what is all 0. From 0, which is off, to below 1. Default 0; `2 ** -12` drops what bfloat16 sums would not hold
   * (https://arxiv.org/abs/2411.09009). `docs/losses.md` has the factor, and bounds on what that changes.
   */
  readonly gradFilter?: number;
  /**
   * Bytes of GPU memory for logits and partial sums, however many rows and classes there are; default 64 MiB. More of it means fewer,
   * larger steps. At least one row of logits must fit.
   */
  readonly maxScratchBytes?: number;
}

/** Options of `linearCrossEntropy`. */
export interface LinearCrossEntropyOptions extends LinearCrossEntropyTerms, CallOptions {
  /** Added to the logits, shape [classes]. */
  readonly bias?: Vector;
  /** A weight for each class, shape [classes]. */
  readonly classWeight?: Vector;
  /** Upstream gradient: a number or a tensor of shape [] for a reduced loss; a number or one value a row for 'none'. Default 1. */
  readonly gradOutput?: number | Vector;
}

/** What `linearCrossEntropy` gives. */
export interface LinearCrossEntropyResult {
  /** Shape [] if reduced, otherwise that of the targets. */
  readonly loss: Tensor;
  /** With `grad`, f32: the shape of the hidden states. */
  readonly gradHidden?: Tensor;
  /** With `grad`, f32: the shape of the weights. */
  readonly gradWeight?: Tensor;
  /** With `grad` and a bias, f32. */
  readonly gradBias?: Tensor;
  /** With `returnLogSumExp`: one value a row. */
  readonly logSumExp?: Tensor;
}

const TERMS: readonly string[] = [
  ...['ignoreIndex', 'labelSmoothing', 'temperature', 'softcap', 'zLoss', 'reduction', 'returnLogSumExp'],
  ...['grad', 'gradHidden', 'gradWeight', 'gradBias', 'gradFilter', 'maxScratchBytes'],
];

const DEFAULT_SCRATCH_BYTES = 64 * 2 ** 20;

/**
 * `crossEntropy` of the logits hidden · weightᵀ + bias and its gradients, without ever holding the logits: chunks of rows take turns in
 * bounded scratch memory.
 *
 * Products are summed in float32, whatever the dtypes, and gradients are f32: that of the weights is added up over all chunks, which 16
 * bits would not bear. An ignored row contributes nothing and has gradient 0, whatever it holds; one whose logits are not finite makes
 * the gradients NaN that it contributes to, as everywhere.
 *
 * @param hidden f32, f16 or bf16, shape [..., features].
 * @param weight f32, f16 or bf16, shape [classes, features].
 * @param targets i32 or u32 class indices, the shape of `hidden` without its last dimension.
 * @returns Tensors on the device; the caller destroys them.
 * @throws InvalidArgumentError, LimitExceededError before anything is submitted; `read()` tells of what goes wrong on the device.
 */
export async function linearCrossEntropy(
  hidden: Tensor,
  weight: Tensor,
  targets: IndexTargets,
  options: LinearCrossEntropyOptions = {},
): Promise<LinearCrossEntropyResult> {
  const op = 'linearCrossEntropy';
  checkOptions(op, options, ['bias', 'classWeight', 'gradOutput', ...TERMS, ...CALL_OPTIONS]);
  const call = new Call(op, 'hidden', hidden, options);
  call.matrix('hidden', hidden);
  call.matrix('weight', weight);
  const layout = logitsLayout(op, hidden.shape, weight.shape);
  const perRow = rowShape(layout);
  const targetTensor = call.vector('targets', targets, ['i32', 'u32'], [perRow]);
  const { bias, classWeight, gradOutput = 1 } = options;
  const perClass = (name: string, value: Vector | undefined, dtypes: readonly FloatDType[]) =>
    value && inputRole(op, name, call.vector(name, value, dtypes, [[layout.classes]]));
  const terms = checkLinearTerms(op, options, layout, bias !== undefined);
  return call.run<LinearCrossEntropyResult>(
    linearCrossEntropySpec({
      ...terms,
      layout,
      hidden: inputRole(op, 'hidden', hidden, layoutOf(op, hidden.shape)),
      weight: inputRole(op, 'weight', weight, layoutOf(op, weight.shape)),
      bias: perClass('bias', bias, FLOATS),
      targets: inputRole(op, 'targets', targetTensor),
      classWeight: perClass('classWeight', classWeight, ['f32']),
      gradOutput: call.upstream(gradOutput, terms.reduction, perRow),
    }),
  );
}

/** The layout of the logits. */
function logitsLayout(op: string, hidden: readonly number[], weight: readonly number[]): Layout {
  const features = hidden.at(-1) ?? 0;
  if (weight.length !== 2 || weight[1] !== features || features === 0) {
    invalid(
      op,
      `hidden has shape ${formatShape(hidden)} and weight ${formatShape(weight)}; [..., features] and [classes, features] are needed.`,
      { shapes: { hidden, weight } },
    );
  }
  return layoutOf(op, [...hidden.slice(0, -1), weight[0] as number]);
}

type CheckedTerms = Omit<
  LinearCrossEntropySettings,
  'layout' | 'hidden' | 'weight' | 'bias' | 'targets' | 'classWeight' | 'gradOutput'
>;

/** Checks the terms and fills in their defaults. */
function checkLinearTerms(
  op: string,
  terms: LinearCrossEntropyTerms,
  layout: Layout,
  biased: boolean,
): CheckedTerms {
  const { grad = false, gradFilter = 0, maxScratchBytes = DEFAULT_SCRATCH_BYTES } = terms;
  const wanted = { gradHidden: true, gradWeight: true, gradBias: biased };
  checkFlag(op, 'grad', grad);
  for (const name of ['gradHidden', 'gradWeight', 'gradBias'] as const) {
    const value = terms[name];
    if (value === undefined) continue;
    checkFlag(op, name, value);
    if (name === 'gradBias' && value && !biased) invalid(op, 'gradBias is true, but there is no bias.');
    wanted[name] = value;
  }
  if (typeof gradFilter !== 'number' || !(gradFilter >= 0 && gradFilter < 1)) {
    invalid(
      op,
      `gradFilter is ${String(gradFilter)}; use a number from 0, which is off, to below 1, such as 2 ** -12.`,
    );
  }
  if (!Number.isSafeInteger(maxScratchBytes) || maxScratchBytes <= 0) {
    invalid(op, `maxScratchBytes is ${String(maxScratchBytes)}; use a whole number of bytes.`);
  }
  const { gradHidden: _h, gradWeight: _w, gradBias: _b, gradFilter: _f, ...others } = terms;
  const { maxScratchBytes: _s, grad: _g, ...ofLoss } = others;
  const { grad: _, ...checked } = checkTerms(op, ofLoss, layout, false);
  return {
    ...checked,
    gradHidden: grad && wanted.gradHidden,
    gradWeight: grad && wanted.gradWeight,
    gradBias: grad && wanted.gradBias,
    gradFilter,
    maxScratchBytes,
  };
}

/** Options of `planLinearCrossEntropy`. */
export interface PlanLinearCrossEntropyOptions extends LinearCrossEntropyTerms {
  /** Shape of the hidden states, [..., features]. */
  readonly shape: readonly number[];
  /** Number of classes: rows of the weights. */
  readonly classes: number;
  /** Of the hidden states: `'f32'` (default), `'f16'` or `'bf16'`. */
  readonly dtype?: FloatDType;
  /** Of the weights and the bias; default: that of the hidden states. */
  readonly weightDtype?: FloatDType;
  /** Dtype of the targets: `'i32'` (default) or `'u32'`. */
  readonly targetDtype?: 'i32' | 'u32';
  /** True: `bias` is a binding. */
  readonly bias?: boolean;
  /** True: `classWeight` is a binding. */
  readonly classWeight?: boolean;
  /** A number (default 1), or a binding: `'rows'` one value a row (reduction 'none'), `'scalar'` one value (reduced). */
  readonly gradOutput?: number | 'rows' | 'scalar';
  /** Overrides of the tuning policy. */
  readonly policy?: Partial<Policy>;
}

/** The bindings of a linear cross-entropy plan; all that its options ask for must be there, and no others. */
export interface LinearCrossEntropyBindings {
  /** [..., features] */
  readonly hidden: PlanBinding;
  /** [classes, features] */
  readonly weight: PlanBinding;
  /** Class indices, one a row. */
  readonly targets: PlanBinding;
  /** [] if reduced, otherwise one value a row. */
  readonly loss: PlanBinding;
  /** With `bias: true`. */
  readonly bias?: PlanBinding;
  /** With `classWeight: true`. */
  readonly classWeight?: PlanBinding;
  /** With `gradOutput: 'rows'` or `'scalar'`. */
  readonly gradOutput?: PlanBinding;
  /** With `grad: true`, unless turned off. */
  readonly gradHidden?: PlanBinding;
  /** With `grad: true`, unless turned off. */
  readonly gradWeight?: PlanBinding;
  /** With `grad: true` and `bias: true`, unless turned off. */
  readonly gradBias?: PlanBinding;
  /** With `returnLogSumExp: true`. */
  readonly logSumExp?: PlanBinding;
}

/**
 * A plan of `linearCrossEntropy`, for a training loop. Its `scratchBytes` are at most `maxScratchBytes`.
 *
 * A target out of range makes its row NaN, and `read()` of the tensors bound as results reject with `TargetOutOfRangeError`.
 *
 * @throws InvalidArgumentError, LimitExceededError, OutOfMemoryError, CompileError.
 */
export async function planLinearCrossEntropy(
  context: Context,
  options: PlanLinearCrossEntropyOptions,
): Promise<OpPlan<LinearCrossEntropyBindings>> {
  const op = 'planLinearCrossEntropy';
  const own = [
    'shape',
    'classes',
    'dtype',
    'weightDtype',
    'targetDtype',
    'bias',
    'classWeight',
    'gradOutput',
    'policy',
  ];
  checkOptions(op, options, [...own, ...TERMS]);
  const { shape, classes, dtype = 'f32', weightDtype = dtype, targetDtype = 'i32' } = options;
  const { bias = false, classWeight = false, gradOutput = 1 } = options;
  checkShape(op, 'shape', shape);
  checkShape(op, 'classes', [classes]);
  for (const [name, value] of Object.entries({ dtype, weightDtype })) {
    if (!isFloat(value)) invalid(op, `${name} is '${String(value)}'; use 'f32', 'f16' or 'bf16'.`);
  }
  const weightShape = [classes, shape.at(-1) ?? 0];
  const layout = logitsLayout(op, shape, weightShape);
  const terms = checkLinearTerms(op, options, layout, bias);
  const spec = linearCrossEntropySpec({
    ...terms,
    layout,
    hidden: denseRole(shape, dtype),
    weight: denseRole(weightShape, weightDtype),
    bias: optionalRole(op, 'bias', bias, layout, [classes], weightDtype),
    targets: indicesRole(op, targetDtype, layout),
    classWeight: optionalRole(op, 'classWeight', classWeight, layout, [classes]),
    gradOutput: upstreamOf(op, gradOutput, terms.reduction, layout),
  });
  return makeExecutable(op, context, options.policy, spec);
}
