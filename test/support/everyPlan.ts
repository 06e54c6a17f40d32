// Every plan of the library, with all that it can bind: pure data, so that checks and benches can use it on any build of the library.

/** What is bound to a role of a plan. */
export interface BindingShape {
  readonly shape: readonly number[];
  readonly dtype: 'f32' | 'i32' | 'u32';
  /** False for what the plan writes. */
  readonly input: boolean;
}

export interface PlanCall {
  /** The function of the library. */
  readonly plan: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly bindings: Readonly<Record<string, BindingShape>>;
}

/** Calls of every plan, on a matrix of `rows` × `classes`, with everything bound that may be. */
export function everyPlan(rows: number, classes: number): readonly PlanCall[] {
  const shape = [rows, classes];
  const input = (...size: number[]): BindingShape => ({ shape: size, dtype: 'f32', input: true });
  const output = (...size: number[]): BindingShape => ({ shape: size, dtype: 'f32', input: false });
  const [matrix, result] = [input(rows, classes), output(rows, classes)];
  const indices: BindingShape = { shape: [rows], dtype: 'i32', input: true };
  const each = { reduction: 'none', grad: true, gradOutput: 'rows' };
  return [
    { plan: 'planSoftmax', options: { shape }, bindings: { logits: matrix, output: result } },
    { plan: 'planLogSoftmax', options: { shape }, bindings: { logits: matrix, output: result } },
    { plan: 'planLogSumExp', options: { shape }, bindings: { logits: matrix, output: output(rows) } },
    {
      plan: 'planSoftmaxGrad',
      options: { shape },
      bindings: { probs: matrix, gradOutput: matrix, grad: result },
    },
    {
      plan: 'planLogSoftmaxGrad',
      options: { shape },
      bindings: { logProbs: matrix, gradOutput: matrix, grad: result },
    },
    {
      plan: 'planLogSumExpGrad',
      options: { shape },
      bindings: { logits: matrix, lse: input(rows), gradOutput: input(rows), grad: result },
    },
    {
      plan: 'planCrossEntropy',
      options: {
        shape,
        targets: 'index',
        grad: true,
        weight: true,
        gradOutput: 'scalar',
        returnLogSumExp: true,
      },
      bindings: {
        logits: matrix,
        targets: indices,
        weight: input(classes),
        gradOutput: input(),
        loss: output(),
        grad: result,
        logSumExp: output(rows),
      },
    },
    {
      plan: 'planCrossEntropy',
      options: { shape, targets: 'index', grad: 'in-place' },
      bindings: { logits: matrix, targets: indices, loss: output() },
    },
    {
      plan: 'planCrossEntropy',
      options: { shape, ...each, targets: 'probs', gradTargets: true },
      bindings: {
        logits: matrix,
        targets: matrix,
        gradOutput: input(rows),
        loss: output(rows),
        grad: result,
        gradTargets: result,
      },
    },
    {
      plan: 'planNllLoss',
      options: { shape, ...each, weight: true },
      bindings: {
        logProbs: matrix,
        targets: indices,
        weight: input(classes),
        gradOutput: input(rows),
        loss: output(rows),
        grad: result,
      },
    },
    {
      plan: 'planEntropy',
      options: { shape, ...each },
      bindings: { logits: matrix, gradOutput: input(rows), entropy: output(rows), grad: result },
    },
    {
      plan: 'planBinaryCrossEntropy',
      options: { shape, grad: true, gradTargets: true, weight: true, posWeight: true, gradOutput: 'scalar' },
      bindings: {
        logits: matrix,
        targets: matrix,
        weight: matrix,
        posWeight: input(classes),
        gradOutput: input(),
        loss: output(),
        grad: result,
        gradTargets: result,
      },
    },
    {
      plan: 'planKlDivergence',
      options: { shape, ...each, target: 'logits' },
      bindings: {
        logits: matrix,
        target: matrix,
        gradOutput: input(rows),
        divergence: output(rows),
        grad: result,
        gradTarget: result,
      },
    },
    {
      plan: 'planLinearCrossEntropy',
      // The last dimension of a hidden state is its features.
      options: {
        shape,
        classes,
        reduction: 'none',
        grad: true,
        gradOutput: 'rows',
        bias: true,
        classWeight: true,
        returnLogSumExp: true,
      },
      bindings: {
        hidden: matrix,
        weight: input(classes, classes),
        bias: input(classes),
        targets: indices,
        classWeight: input(classes),
        gradOutput: input(rows),
        loss: output(rows),
        gradHidden: result,
        gradWeight: output(classes, classes),
        gradBias: output(classes),
        logSumExp: output(rows),
      },
    },
    {
      plan: 'planLogitStats',
      options: { shape, targets: true, topK: 2 },
      bindings: {
        logits: matrix,
        targets: indices,
        logSumExp: output(rows),
        entropy: output(rows),
        argmax: { shape: [rows], dtype: 'i32', input: false },
        targetLogProb: output(rows),
        targetRank: { shape: [rows], dtype: 'i32', input: false },
        topKValues: output(rows, 2),
        topKIndices: { shape: [rows, 2], dtype: 'i32', input: false },
      },
    },
  ];
}
