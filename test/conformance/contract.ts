// What this library promises for each golden case, where that is not what PyTorch returned: the one home of the
// deliberate differences. Also how a golden case's options read as ours.

import { rowStart } from '../../src/cpu/row.js';
import type { LinearCrossEntropyOptions } from '../../src/cpu.js';
import { type Layout, layoutOf, rowShape } from '../../src/shape.js';
import type { GoldenCase, GoldenOutput, GoldenTensor } from '../support/golden.js';

export type Expectation =
  | {
      readonly kind: 'values';
      readonly outputs: Readonly<Record<string, GoldenOutput>>;
      /** Also right, name by name. */
      readonly alternatives: Readonly<Record<string, GoldenOutput>>;
    }
  | { readonly kind: 'invalidArgument' }
  | { readonly kind: 'targetOutOfRange'; readonly row: number; readonly value: number };

/** PyTorch takes a negative label smoothing for 0; here it is out of range. */
export function hasValues({ error, options }: GoldenCase): boolean {
  return error === undefined && (options.label_smoothing ?? 0) >= 0;
}

export function expectationOf(golden: GoldenCase): Expectation {
  if (golden.error !== undefined) {
    // PyTorch raises for both; here only what the host can see throws, and a bad target is named by `read()`.
    return /is out of bounds/.test(golden.error) ? firstOutOfRange(golden) : { kind: 'invalidArgument' };
  }
  if (!hasValues(golden)) return { kind: 'invalidArgument' };

  // Made from the float64 implementation, which keeps to the contract.
  if (golden.dtype !== undefined) return { kind: 'values', outputs: golden.outputs, alternatives: {} };

  // Where PyTorch lost accuracy, the accurate answer. The gradient of logSumExp is made from the rounded
  // log-sum-exp by definition, so there PyTorch's answer is right as well.
  let outputs: Record<string, GoldenOutput> = { ...golden.outputs, ...golden.outputsExact };
  const alternatives = golden.op === 'logsumexp' && hasTag(golden, 'torch_inexact') ? golden.outputs : {};
  if (golden.options.target === 'index') outputs = { ...outputs, ...ignoredRowsZeroed(golden, outputs) };
  if (golden.options.target === 'prob') outputs = { ...outputs, ...zeroTimesLogZero(golden, outputs) };
  if (golden.op === 'kl_div') outputs = { ...outputs, ...divergenceByRow(golden, outputs) };
  if (golden.op === 'kl_div_logits') outputs = { ...outputs, ...maskedTeacher(golden, outputs) };
  return { kind: 'values', outputs, alternatives };
}

/** What the input of the logits' shape is called, where not `logits`. */
const LOGITS: Readonly<Record<string, string>> = {
  nll_loss: 'input',
  kl_div_logits: 'student_logits',
  fused_linear_cross_entropy: 'hidden',
};

/** PyTorch's class dimension is 1, or 0 for logits of rank 1; the others name theirs. */
export function goldenLayout(golden: GoldenCase): Layout {
  const shape = input(golden, LOGITS[golden.op] ?? 'logits').shape;
  return layoutOf(golden.name, shape, golden.options.dim ?? (shape.length === 1 ? 0 : 1));
}

export function input(golden: GoldenCase, name: string): GoldenTensor {
  const tensor = golden.inputs[name];
  if (!tensor) throw new Error(`${golden.name} has no input ${name}`);
  return tensor;
}

/** A golden cross-entropy case's options, in our words. */
export interface GoldenCrossEntropyOptions {
  readonly axis: number;
  readonly reduction: 'none' | 'mean' | 'sum';
  /** A number for a reduced loss, otherwise one value a row. */
  readonly gradOutput: number | Float32Array<ArrayBuffer>;
  readonly weight?: Float32Array<ArrayBuffer>;
  readonly ignoreIndex?: number;
  readonly labelSmoothing?: number;
  readonly temperature?: number;
  readonly softcap?: number;
  readonly zLoss?: number;
}

export function crossEntropyOptionsOf(golden: GoldenCase): GoldenCrossEntropyOptions {
  const { options, inputs } = golden;
  const upstream = input(golden, 'grad_output').data as Float32Array<ArrayBuffer>;
  return {
    axis: goldenLayout(golden).axis,
    reduction: options.reduction ?? 'mean',
    gradOutput: options.reduction === 'none' ? upstream : (upstream[0] as number),
    ...(inputs['weight'] && { weight: inputs['weight'].data as Float32Array<ArrayBuffer> }),
    ...(options.ignore_index !== undefined && { ignoreIndex: options.ignore_index }),
    ...(options.label_smoothing !== undefined && { labelSmoothing: options.label_smoothing }),
    ...(options.temperature !== undefined && { temperature: options.temperature }),
    ...(options.softcap !== undefined && { softcap: options.softcap }),
    ...(options.z_loss !== undefined && { zLoss: options.z_loss }),
  };
}

/** The options of a golden cross-entropy fused with the layer before it; all gradients. */
export function linearOptionsOf(golden: GoldenCase): LinearCrossEntropyOptions {
  const { axis: _, weight: __, ...options } = crossEntropyOptionsOf(golden);
  const { bias, class_weight: classWeight } = golden.inputs;
  return {
    ...options,
    ...(bias && { bias: bias.data as Float32Array }),
    ...(classWeight && { classWeight: classWeight.data as Float32Array }),
    grad: true,
  };
}

/** A golden divergence's options, in our words. */
export interface GoldenKlOptions {
  readonly axis: number;
  readonly target: 'logits' | 'probs' | 'logProbs';
  /** PyTorch's 'batchmean' is our mean. */
  readonly reduction: 'none' | 'mean' | 'sum';
  /**
   * A number for a reduced divergence, one value a row for `kl_div_logits`. PyTorch's `kl_div` takes one value an element
   * for 'none': there it is 1, and `elementFactor` the rest.
   */
  readonly gradOutput: number | Float32Array<ArrayBuffer>;
  readonly temperature?: number;
  readonly scaleByTemperatureSquared?: boolean;
}

/** What the golden reader knows of a case's options, and what divergences have besides. */
type KlCaseOptions = Omit<GoldenCase['options'], 'reduction'> & {
  readonly reduction?: 'none' | 'mean' | 'sum' | 'batchmean';
  readonly log_target?: boolean;
  readonly scale_t2?: boolean;
};

export function klOptionsOf(golden: GoldenCase): GoldenKlOptions {
  const options = golden.options as KlCaseOptions;
  const upstream = input(golden, 'grad_output').data as Float32Array<ArrayBuffer>;
  const { reduction = 'mean' } = options;
  const byElement = golden.op === 'kl_div' && reduction === 'none';
  return {
    axis: goldenLayout(golden).axis,
    target: golden.op === 'kl_div_logits' ? 'logits' : options.log_target ? 'logProbs' : 'probs',
    reduction: reduction === 'batchmean' ? 'mean' : reduction,
    gradOutput: byElement ? 1 : reduction === 'none' ? upstream : (upstream[0] as number),
    ...(options.temperature !== undefined && { temperature: options.temperature }),
    ...(options.scale_t2 !== undefined && { scaleByTemperatureSquared: options.scale_t2 }),
  };
}

/**
 * What our reduced divergence and our gradients are to be multiplied by, element by element, to be those of PyTorch's
 * `kl_div`: its 'mean' divides by the number of elements, and its 'none' has an upstream gradient for each of them (which
 * is a factor of the gradient with respect to the target, but not of that with respect to the logits).
 */
export function elementFactor(golden: GoldenCase): (i: number) => number {
  const { reduction } = golden.options as KlCaseOptions;
  if (golden.op !== 'kl_div') return () => 1;
  const upstream = input(golden, 'grad_output').data;
  if (reduction === 'none') return (i) => upstream[i] as number;
  const { classes } = goldenLayout(golden);
  return reduction === 'mean' ? () => 1 / classes : () => 1;
}

/** A golden case of binary cross-entropy's options, in our words. */
export interface GoldenBinaryOptions {
  readonly reduction: 'none' | 'mean' | 'sum';
  /** A number for a reduced loss, otherwise one value an element. */
  readonly gradOutput: number | Float32Array<ArrayBuffer>;
  readonly weight?: Float32Array<ArrayBuffer>;
  readonly posWeight?: Float32Array<ArrayBuffer>;
}

export function binaryOptionsOf(golden: GoldenCase): GoldenBinaryOptions {
  const { options, inputs } = golden;
  const upstream = input(golden, 'grad_output').data as Float32Array<ArrayBuffer>;
  return {
    reduction: options.reduction ?? 'mean',
    gradOutput: options.reduction === 'none' ? upstream : (upstream[0] as number),
    ...(inputs['weight'] && { weight: inputs['weight'].data as Float32Array<ArrayBuffer> }),
    ...(inputs['pos_weight'] && { posWeight: inputs['pos_weight'].data as Float32Array<ArrayBuffer> }),
  };
}

function hasTag(golden: GoldenCase, tag: string): boolean {
  return golden.tags.includes(tag);
}

function firstOutOfRange(golden: GoldenCase): Expectation {
  const targets = input(golden, 'target').data;
  const { classes } = goldenLayout(golden);
  const row = targets.findIndex((value) => value < 0 || value >= classes);
  return { kind: 'targetOutOfRange', row, value: targets[row] as number };
}

/** The gradient of an ignored row is exactly 0; PyTorch's is NaN if the row holds a NaN or an infinity. */
function ignoredRowsZeroed(
  golden: GoldenCase,
  outputs: Readonly<Record<string, GoldenOutput>>,
): Record<string, GoldenOutput> {
  const grad = outputs['grad_logits'];
  const targets = input(golden, 'target').data;
  const ignoreIndex = golden.options.ignore_index ?? -100;
  if (!grad || !targets.includes(ignoreIndex)) return {};
  if (!('data' in grad)) throw new Error(`${golden.name}: ignored rows in a summarised gradient`);
  const layout = goldenLayout(golden);
  const data = grad.data.slice();
  targets.forEach((target, r) => {
    if (target !== ignoreIndex) return;
    for (let c = 0; c < layout.classes; c++) data[rowStart(layout, r) + c * layout.inner] = 0;
  });
  return { grad_logits: { ...grad, data } };
}

/**
 * A probability of 0 at a logit of -Infinity contributes 0 to the loss; PyTorch makes it 0 · Infinity = NaN.
 *
 * The loss is put together again from PyTorch's own `grad_target`, which holds `scale w_c (-log p_c)`.
 */
function zeroTimesLogZero(
  golden: GoldenCase,
  outputs: Readonly<Record<string, GoldenOutput>>,
): Record<string, GoldenOutput> {
  const { loss, grad_target } = outputs;
  if (!loss || !grad_target || !('data' in grad_target)) return {};
  const logits = input(golden, 'logits').data;
  const probs = input(golden, 'target').data;
  const isVoid = (i: number): boolean => probs[i] === 0 && logits[i] === Number.NEGATIVE_INFINITY;
  if (golden.options.label_smoothing || !probs.some((_, i) => isVoid(i))) return {};

  const { rows, classes, inner } = goldenLayout(golden);
  const layout = goldenLayout(golden);
  const { reduction } = golden.options;
  const upstream = input(golden, 'grad_output').data;
  const losses = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    const g = upstream[reduction === 'none' ? r : 0] as number;
    const scale = reduction === 'mean' ? g / rows : g;
    for (let c = 0, i = rowStart(layout, r); c < classes; c++, i += inner) {
      const surprise = (grad_target.data[i] as number) / scale;
      // A bad row stays NaN: its surprise is NaN, not Infinity.
      if (!(isVoid(i) && surprise === Number.POSITIVE_INFINITY)) {
        losses[r] = (losses[r] as number) + (probs[i] as number) * surprise;
      }
    }
  }
  const sum = losses.reduce((total, value) => total + value, 0);
  const data = reduction === 'none' ? losses : Float64Array.of(reduction === 'mean' ? sum / rows : sum);
  return { loss: { dtype: 'f64', shape: loss.shape, data } };
}

/**
 * One value a row where PyTorch's `kl_div` gives one an element. A probability of 0 at a logit of -Infinity contributes 0
 * to it; PyTorch makes it NaN.
 */
function divergenceByRow(
  golden: GoldenCase,
  outputs: Readonly<Record<string, GoldenOutput>>,
): Record<string, GoldenOutput> {
  const { loss } = outputs;
  if (golden.options.reduction !== 'none' || !loss || !('data' in loss)) return {};
  const logits = input(golden, 'logits').data;
  const target = input(golden, 'target').data;
  const nothing = klOptionsOf(golden).target === 'probs' ? 0 : Number.NEGATIVE_INFINITY;
  const layout = goldenLayout(golden);
  const sums = new Float64Array(layout.rows);
  for (let r = 0; r < layout.rows; r++) {
    const start = rowStart(layout, r);
    for (let i = start; i < start + layout.classes * layout.inner; i += layout.inner) {
      // A bad row stays NaN by its other elements.
      if (target[i] === nothing && logits[i] === Number.NEGATIVE_INFINITY) continue;
      sums[r] = (sums[r] as number) + (loss.data[i] as number);
    }
  }
  return { loss: { dtype: 'f64', shape: rowShape(layout), data: sums } };
}

/**
 * A class that the teacher's mask excludes contributes 0, and the gradient with respect to its logit is 0. PyTorch makes
 * the loss and the teacher's gradient of such a row NaN; here they are put together from the definition instead.
 */
function maskedTeacher(
  golden: GoldenCase,
  outputs: Readonly<Record<string, GoldenOutput>>,
): Record<string, GoldenOutput> {
  const { loss, grad_teacher_logits: grad } = outputs;
  if (!loss || !grad || !('data' in loss) || !('data' in grad)) return {};
  const layout = goldenLayout(golden);
  const student = input(golden, 'student_logits').data as Float32Array;
  const teacher = input(golden, 'teacher_logits').data as Float32Array;
  if (!teacher.includes(Number.NEGATIVE_INFINITY)) return {};
  if (golden.options.reduction !== 'none' || layout.inner !== 1 || golden.options.temperature) {
    throw new Error(`${golden.name}: a masked teacher with options`);
  }
  const upstream = input(golden, 'grad_output').data;
  const losses = Float64Array.from(loss.data);
  const grads = Float64Array.from(grad.data);
  for (let r = 0; r < layout.rows; r++) {
    const start = rowStart(layout, r);
    const p = naiveSoftmax(student.subarray(start, start + layout.classes));
    const q = naiveSoftmax(teacher.subarray(start, start + layout.classes));
    if (!q.includes(0) || p.includes(Number.NaN)) continue;
    const ratio = q.map((value, c) => (value === 0 ? 0 : Math.log(value / (p[c] as number))));
    const sum = q.reduce((total, value, c) => total + (value === 0 ? 0 : value * (ratio[c] as number)), 0);
    losses[r] = sum;
    q.forEach((value, c) => {
      grads[start + c] = (upstream[r] as number) * (value === 0 ? 0 : value * ((ratio[c] as number) - sum));
    });
  }
  return { loss: { ...loss, data: losses }, grad_teacher_logits: { ...grad, data: grads } };
}

function naiveSoftmax(logits: Float32Array): number[] {
  const max = Math.max(...logits);
  const exps = Array.from(logits, (x) => Math.exp(x - max));
  const sum = exps.reduce((total, e) => total + e, 0);
  return exps.map((e) => e / sum);
}
