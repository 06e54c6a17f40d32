import type { Context } from 'webgpu-loss';
import { CpuAdam } from '../common/adam.js';
import { CONTEXT, occurrencesOf } from './batch.js';
import type { Machine, Own, Parameters, Sizes, Step } from './model.js';

/** What keeps Adagrad from dividing by 0, as in trunk.wgsl. */
const EPSILON = 1e-8;

/** What trunk.wgsl does, in plain loops. */
export async function machineOnCpu(
  context: Context,
  { classes, features, rows }: Sizes,
  start: Parameters,
  own: Own,
): Promise<Machine> {
  const embeddings = start.embeddings.slice();
  const positions = start.positions.slice();
  const weight = start.weight.slice();
  const bias = start.bias.slice();
  const hidden = new Float32Array(rows * features);
  const gradPositions = new Float32Array(positions.length);
  const squares = new Float32Array(classes);
  const adamOfWeight = new CpuAdam(weight.length);
  const adamOfBias = new CpuAdam(bias.length);
  const adamOfPositions = new CpuAdam(positions.length);

  const tensor = (values: Float32Array<ArrayBuffer>, shape: readonly number[]) =>
    own(context.tensor(values, shape));
  const bindings = {
    hidden: tensor(hidden, [rows, features]),
    weight: tensor(weight, [classes, features]),
    bias: tensor(bias, [classes]),
    targets: own(context.tensor(new Int32Array(rows), [rows])),
    loss: tensor(new Float32Array(1), []),
  };
  const gradients = {
    gradHidden: tensor(hidden, [rows, features]),
    gradWeight: tensor(weight, [classes, features]),
    gradBias: tensor(bias, [classes]),
  };

  const forward = (contexts: Int32Array): void => {
    hidden.fill(0);
    for (let place = 0; place < contexts.length; place++) {
      const [row, k] = [Math.floor(place / CONTEXT), place % CONTEXT];
      const from = contexts[place]! * features;
      for (let d = 0; d < features; d++) {
        hidden[row * features + d]! += positions[k * features + d]! * embeddings[from + d]!;
      }
    }
  };

  const positionGradient = (contexts: Int32Array, gradHidden: Float32Array): void => {
    gradPositions.fill(0);
    for (let place = 0; place < contexts.length; place++) {
      const [row, k] = [Math.floor(place / CONTEXT), place % CONTEXT];
      const from = contexts[place]! * features;
      for (let d = 0; d < features; d++) {
        gradPositions[k * features + d]! += embeddings[from + d]! * gradHidden[row * features + d]!;
      }
    }
  };

  const updateEmbeddings = (contexts: Int32Array, gradHidden: Float32Array, rate: number): void => {
    const { tokens, starts, places } = occurrencesOf(contexts);
    const gradient = new Float32Array(features);
    for (const [i, token] of tokens.entries()) {
      gradient.fill(0);
      for (const place of places.subarray(starts[i], starts[i + 1])) {
        const [row, k] = [Math.floor(place / CONTEXT), place % CONTEXT];
        for (let d = 0; d < features; d++) {
          gradient[d]! += positions[k * features + d]! * gradHidden[row * features + d]!;
        }
      }
      squares[token]! += gradient.reduce((sum, each) => sum + each * each, 0) / features;
      const step = rate / (Math.sqrt(squares[token]!) + EPSILON);
      for (let d = 0; d < features; d++) embeddings[token * features + d]! -= step * gradient[d]!;
    }
  };

  const update = async (contexts: Int32Array, { adam, biasAdam, embeddingRate }: Step): Promise<void> => {
    const [gradHidden, gradWeight, gradBias] = (await Promise.all(
      [gradients.gradHidden, gradients.gradWeight, gradients.gradBias].map((each) => each.read()),
    )) as [Float32Array, Float32Array, Float32Array];
    positionGradient(contexts, gradHidden);
    updateEmbeddings(contexts, gradHidden, embeddingRate);
    adamOfWeight.apply(adam, weight, gradWeight);
    adamOfBias.apply(biasAdam, bias, gradBias);
    adamOfPositions.apply(adam, positions, gradPositions);
    bindings.weight.write(weight);
    bindings.bias.write(bias);
  };

  return {
    bindings,
    gradients,
    async run({ contexts, targets }, head, step) {
      forward(contexts);
      bindings.hidden.write(hidden);
      bindings.targets.write(targets);
      head();
      if (step !== undefined) await update(contexts, step);
    },
    readLoss: async () => (await bindings.loss.read())[0]!,
    async logitsAfter(context) {
      forward(context);
      return Float32Array.from(bias, (each, token) => {
        let sum = each;
        for (let d = 0; d < features; d++) sum += weight[token * features + d]! * hidden[d]!;
        return sum;
      });
    },
    read: async () => ({
      embeddings: embeddings.slice(),
      positions: positions.slice(),
      weight: weight.slice(),
      bias: bias.slice(),
    }),
  };
}
