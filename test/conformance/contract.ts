// What this library promises for each golden case, where that is not what PyTorch returned: the one home of the
// deliberate differences. Also how a golden case's options read as ours.

import { rowStart } from '../../src/cpu/row.js';
import { type Layout, layoutOf } from '../../src/shape.js';
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

export function expectationOf(golden: GoldenCase): Expectation {
  if (golden.error !== undefined) {
    // PyTorch raises for both; here only what the host can see throws, and a bad target is named by `read()`.
    return /is out of bounds/.test(golden.error) ? firstOutOfRange(golden) : { kind: 'invalidArgument' };
  }
  // PyTorch takes a negative label smoothing for 0; here it is out of range.
  if ((golden.options.label_smoothing ?? 0) < 0) return { kind: 'invalidArgument' };

  // Where PyTorch lost accuracy, the accurate answer. The gradient of logSumExp is made from the rounded
  // log-sum-exp by definition, so there PyTorch's answer is right as well.
  let outputs: Record<string, GoldenOutput> = { ...golden.outputs, ...golden.outputsExact };
  const alternatives = golden.op === 'logsumexp' && hasTag(golden, 'torch_inexact') ? golden.outputs : {};
  if (golden.options.target === 'index') outputs = { ...outputs, ...ignoredRowsZeroed(golden, outputs) };
  if (golden.options.target === 'prob') outputs = { ...outputs, ...zeroTimesLogZero(golden, outputs) };
  return { kind: 'values', outputs, alternatives };
}

/** PyTorch's class dimension is 1, or 0 for logits of rank 1; the others name theirs. */
export function goldenLayout(golden: GoldenCase): Layout {
  const shape = input(golden, 'logits').shape;
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
