// The float64 implementation on the inputs of a golden case: its outputs under their golden names.

import * as cpu from '../../src/cpu.js';
import type { GoldenCase } from '../support/golden.js';
import {
  binaryOptionsOf,
  crossEntropyOptionsOf,
  elementFactor,
  goldenLayout,
  input,
  klOptionsOf,
  linearOptionsOf,
} from './contract.js';

export type Results = Record<string, Float64Array>;

/** How each golden op runs on the CPU. */
export const ORACLE: Record<string, (golden: GoldenCase) => Results> = {
  softmax(golden) {
    const { shape, axis } = goldenLayout(golden);
    const output = cpu.softmax(input(golden, 'logits').data, shape, { axis });
    const grad = cpu.softmaxGrad(output, input(golden, 'grad_output').data, shape, { axis });
    return { output, grad_logits: grad };
  },
  log_softmax(golden) {
    const { shape, axis } = goldenLayout(golden);
    const output = cpu.logSoftmax(input(golden, 'logits').data, shape, { axis });
    const grad = cpu.logSoftmaxGrad(output, input(golden, 'grad_output').data, shape, { axis });
    return { output, grad_logits: grad };
  },
  logsumexp(golden) {
    const { shape, axis } = goldenLayout(golden);
    const logits = input(golden, 'logits').data;
    const output = cpu.logSumExp(logits, shape, { axis });
    const grad = cpu.logSumExpGrad(logits, output, input(golden, 'grad_output').data, shape, { axis });
    return { output, grad_logits: grad };
  },
  cross_entropy: runCrossEntropy,
  cross_entropy_full(golden) {
    const whole = runCrossEntropy(golden);
    if (!golden.options.z_loss) return whole;
    // PyTorch's two terms, each from a call that leaves the other out.
    const options = crossEntropyOptionsOf(golden);
    const { shape } = goldenLayout(golden);
    const targets = input(golden, 'target').data;
    const ce = cpu.crossEntropy(input(golden, 'logits').data, targets, shape, { ...options, zLoss: 0 });
    return { ...whole, ce: ce.loss };
  },
  fused_linear_cross_entropy(golden) {
    const [rows, features] = input(golden, 'hidden').shape as [number, number];
    const [classes] = input(golden, 'weight').shape as [number];
    const targets = input(golden, 'target').data as Int32Array;
    const result = cpu.linearCrossEntropy(
      input(golden, 'hidden').data,
      input(golden, 'weight').data,
      targets,
      [rows, features, classes],
      linearOptionsOf(golden),
    );
    return {
      loss: result.loss,
      ...(result.gradHidden && { grad_hidden: result.gradHidden }),
      ...(result.gradWeight && { grad_weight: result.gradWeight }),
      ...(result.gradBias && { grad_bias: result.gradBias }),
    };
  },
  nll_loss(golden) {
    const targets = input(golden, 'target').data as Int32Array;
    const { loss, grad } = cpu.nllLoss(input(golden, 'input').data, targets, goldenLayout(golden).shape, {
      ...crossEntropyOptionsOf(golden),
      grad: true,
    });
    return { loss, ...(grad && { grad_input: grad }) };
  },
  entropy(golden) {
    const { axis, reduction, gradOutput } = crossEntropyOptionsOf(golden);
    const options = { axis, reduction, gradOutput, grad: true };
    const result = cpu.entropy(input(golden, 'logits').data, goldenLayout(golden).shape, options);
    return { output: result.entropy, ...(result.grad && { grad_logits: result.grad }) };
  },
  bce_with_logits(golden) {
    const { data, shape } = input(golden, 'logits');
    const options = { ...binaryOptionsOf(golden), grad: true };
    const { loss, grad, gradTargets } = cpu.binaryCrossEntropy(
      data,
      input(golden, 'target').data,
      shape,
      options,
    );
    return { loss, ...(grad && { grad_logits: grad }), ...(gradTargets && { grad_target: gradTargets }) };
  },
  kl_div_logits(golden) {
    const student = input(golden, 'student_logits').data;
    const teacher = input(golden, 'teacher_logits').data;
    const options = { ...klOptionsOf(golden), grad: true };
    const result = cpu.klDivergence(student, teacher, goldenLayout(golden).shape, options);
    return {
      loss: result.divergence,
      ...(result.grad && { grad_student_logits: result.grad }),
      ...(result.gradTarget && { grad_teacher_logits: result.gradTarget }),
    };
  },
  kl_div(golden) {
    const { shape } = goldenLayout(golden);
    const logits = input(golden, 'logits').data;
    const target = input(golden, 'target').data;
    const options = { ...klOptionsOf(golden), grad: true };
    const { divergence, grad, gradTarget } = cpu.klDivergence(logits, target, shape, options);
    const factor = elementFactor(golden);
    const scaled = (values: Float64Array | undefined) => values?.map((value, i) => value * factor(i));
    if (options.reduction !== 'none') {
      return {
        loss: divergence.map((value) => value * factor(0)),
        grad_logits: scaled(grad) ?? Float64Array.of(),
        grad_target: scaled(gradTarget) ?? Float64Array.of(),
      };
    }
    // The gradient with respect to the logits is linear in the probabilities: a factor of one is a factor of its q.
    const probs = Float64Array.from(target, (t) => (options.target === 'probs' ? t : Math.exp(t)));
    const weighted = probs.map((q, i) => q * factor(i));
    const byElement = cpu.klDivergence(logits, weighted, shape, { ...options, target: 'probs' });
    return {
      loss: divergence,
      grad_logits: byElement.grad ?? Float64Array.of(),
      grad_target: scaled(gradTarget) ?? Float64Array.of(),
    };
  },
};

function runCrossEntropy(golden: GoldenCase): Results {
  const { shape } = goldenLayout(golden);
  const result = cpu.crossEntropy(input(golden, 'logits').data, input(golden, 'target').data, shape, {
    ...crossEntropyOptionsOf(golden),
    grad: true,
  });
  const { loss, grad, gradTargets } = result;
  return {
    loss,
    ...(grad && { grad_logits: grad }),
    ...(gradTargets && { grad_target: gradTargets }),
  };
}
