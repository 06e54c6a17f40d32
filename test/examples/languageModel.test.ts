// The model on the CPU and on a software adapter, against its definition in float64.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Context, createContext } from 'webgpu-loss';
import { crossEntropy } from 'webgpu-loss/cpu';
import { seededRandom } from '../../examples/common/random.js';
import { type Batch, CONTEXT, drawBatch, spreadPlaces } from '../../examples/language-model/batch.js';
import { memoryOf } from '../../examples/language-model/memory.js';
import {
  ADAM,
  BIAS_RATE,
  EMBEDDING_RATE,
  openModel,
  type Parameters,
  untrained,
} from '../../examples/language-model/model.js';
import { writeText } from '../../examples/language-model/sample.js';
import { ALL_TOKENS } from '../../examples/language-model/text.js';
import { openGpu } from '../../scripts/adapters.js';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { requiredTargets } from '../targets/names.js';

const SIZES = { classes: 11, features: 5, rows: 6 };
type Name = keyof Parameters;
const NAMES: readonly Name[] = ['embeddings', 'positions', 'weight', 'bias'];
type Exact = Readonly<Record<Name, Float64Array>>;

/** Parameters none of which are 0. */
function anyParameters(sizes = SIZES): Parameters {
  const random = seededRandom(5);
  const start = untrained(sizes);
  const shaken = (values: Float32Array) => Float32Array.from(values, (value) => value + random() - 0.5);
  return {
    embeddings: shaken(start.embeddings),
    positions: shaken(start.positions),
    weight: shaken(start.weight),
    bias: shaken(start.bias),
  };
}

/** Logits of each row of a batch, by the model's definition. */
function logitsOf({ embeddings, positions, weight, bias }: Exact, contexts: Int32Array): Float64Array {
  const { classes, features } = SIZES;
  const rows = contexts.length / CONTEXT;
  const hidden = (row: number, d: number): number =>
    Array.from({ length: CONTEXT }, (_, k) => {
      const token = contexts[row * CONTEXT + k]!;
      return positions[k * features + d]! * embeddings[token * features + d]!;
    }).reduce((a, b) => a + b);
  const logits = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    const h = Array.from({ length: features }, (_, d) => hidden(row, d));
    for (let token = 0; token < classes; token++) {
      logits[row * classes + token] = h.reduce(
        (sum, each, d) => sum + each * weight[token * features + d]!,
        bias[token]!,
      );
    }
  }
  return logits;
}

function lossOf(parameters: Exact, { contexts, targets }: Batch): number {
  return crossEntropy(logitsOf(parameters, contexts), targets, [targets.length, SIZES.classes]).loss[0]!;
}

/** Trains in float64: gradients by central differences, optimizers by their formulas, over all rows of the embeddings. */
function exactTraining(start: Parameters, rate: number) {
  const parameters = Object.fromEntries(NAMES.map((name) => [name, Float64Array.from(start[name])])) as Exact;
  const zeros = () =>
    Object.fromEntries(NAMES.map((name) => [name, new Float64Array(start[name].length)])) as Exact;
  const [mean, square] = [zeros(), zeros()];
  const squares = new Float64Array(SIZES.classes);
  let t = 0;
  return {
    parameters,
    step(batch: Batch): number {
      t++;
      const loss = lossOf(parameters, batch);
      const gradient = zeros();
      for (const name of NAMES) {
        const values = parameters[name];
        for (const [i, value] of values.entries()) {
          const at = (moved: number) => {
            values[i] = moved;
            return lossOf(parameters, batch);
          };
          gradient[name][i] = (at(value + 1e-5) - at(value - 1e-5)) / 2e-5;
          values[i] = value;
        }
      }
      const { beta1, beta2, epsilon } = ADAM;
      for (const name of ['positions', 'weight', 'bias'] as const) {
        for (const [i, g] of gradient[name].entries()) {
          mean[name][i] = beta1 * mean[name][i]! + (1 - beta1) * g;
          square[name][i] = beta2 * square[name][i]! + (1 - beta2) * g * g;
          const size = Math.sqrt(square[name][i]! / (1 - beta2 ** t)) + epsilon;
          const own = name === 'bias' ? BIAS_RATE * rate : rate;
          parameters[name][i]! -= (own * mean[name][i]!) / (1 - beta1 ** t) / size;
        }
      }
      for (let token = 0; token < SIZES.classes; token++) {
        if (!batch.contexts.includes(token)) continue;
        const own = gradient.embeddings.subarray(token * SIZES.features, (token + 1) * SIZES.features);
        squares[token]! += own.reduce((sum, g) => sum + g * g, 0) / SIZES.features;
        for (const [d, g] of own.entries()) {
          parameters.embeddings[token * SIZES.features + d]! -=
            (EMBEDDING_RATE * rate * g) / Math.sqrt(squares[token]!);
        }
      }
      return loss;
    },
  };
}

/** Float32 in the hundred operations of some steps, on numbers of about 1; a ratio of two gradients magnifies it where they are small. */
const CLOSE = 1e-4;

for (const backend of ['cpu', 'webgpu'] as const) {
  describe(`the language model on ${backend === 'cpu' ? 'the CPU' : 'SwiftShader'}`, async () => {
    const absent = backend === 'webgpu' ? await whyNoSwiftShader() : undefined;
    if (absent !== undefined) {
      it('has SwiftShader', (test) => {
        if (requiredTargets().has('swiftshader')) throw new Error(absent);
        test.skip(absent);
      });
      return;
    }
    let context: Context;
    beforeAll(async () => {
      context =
        backend === 'cpu'
          ? await createContext({ backend })
          : await createContext({ backend, gpu: (await openGpu({ adapter: 'swiftshader' })).gpu as GPU });
    });
    afterAll(() => context.destroy());

    const ids = Int32Array.from({ length: 60 }, (_, i) => (i * i + (i >> 2)) % 9);
    const batches = () => {
      const random = seededRandom(2);
      return Array.from({ length: 4 }, () => drawBatch(ids, SIZES.rows, random));
    };

    it('trains as its definition says', async () => {
      const start = anyParameters();
      const model = await openModel(context, SIZES, start);
      const exact = exactTraining(start, 0.02);
      for (const batch of batches()) {
        await model.step(batch, 0.02);
        expect(Math.abs((await model.readLoss()) - exact.step(batch))).toBeLessThan(CLOSE);
        const present = await model.read();
        for (const name of NAMES) {
          const worst = Math.max(
            ...present[name].map((value, i) => Math.abs(value - exact.parameters[name][i]!)),
          );
          expect(worst, name).toBeLessThan(CLOSE);
          // Which is far from no step at all.
          const moved = Math.max(...present[name].map((value, i) => Math.abs(value - start[name][i]!)));
          expect(moved, name).toBeGreaterThan(100 * CLOSE);
        }
      }
      // Tokens 9 and 10 are in no context: their embeddings are as they were.
      const { embeddings } = await model.read();
      expect(embeddings.slice(9 * SIZES.features)).toEqual(start.embeddings.slice(9 * SIZES.features));
      model.destroy();
    });

    it('begins with every token equally likely', async () => {
      const model = await openModel(context, SIZES);
      await model.step(batches()[0]!, 0.02);
      expect(await model.readLoss()).toBeCloseTo(Math.log(SIZES.classes), 6);
      model.destroy();
    });

    it('is measured at places of a text, of which the last batch is not full', async () => {
      const start = anyParameters();
      const model = await openModel(context, SIZES, start);
      const exact = exactTraining(start, 0).parameters;
      const places = spreadPlaces(ids, 20);
      const expected = places.map((place) => {
        const contexts = Int32Array.from({ length: CONTEXT }, (_, k) => ids[place - 1 - k]!);
        return lossOf(exact, { contexts, targets: Int32Array.of(ids[place]!) });
      });
      const mean = expected.reduce((a, b) => a + b) / places.length;
      expect(Math.abs((await model.evaluate(ids, 20)) - mean)).toBeLessThan(1e-5);
      // That it is measured changes nothing, also where the gradients of a step lie ready.
      await model.step(batches()[0]!, 0.02);
      const trained = await model.read();
      await model.evaluate(ids, 20);
      expect(await model.read()).toEqual(trained);
      model.destroy();
    });

    it('gives the logits after some tokens, of which the last few count', async () => {
      const start = anyParameters();
      const model = await openModel(context, SIZES, start);
      const logits = await model.logitsAfter([7, 1, 2, 3, 4]);
      const expected = logitsOf(exactTraining(start, 0).parameters, Int32Array.of(4, 3, 2, 1));
      expect(logits).toHaveLength(SIZES.classes);
      for (const [token, logit] of logits.entries())
        expect(Math.abs(logit - expected[token]!)).toBeLessThan(1e-5);
      model.destroy();
    });

    it('writes what it has learned', async () => {
      // Each token is followed by the next one.
      const text = Int32Array.from({ length: 400 }, (_, i) => i % 7);
      const model = await openModel(context, SIZES);
      const random = seededRandom(1);
      for (let i = 0; i < 150; i++) await model.step(drawBatch(text, SIZES.rows, random), 0.05);
      expect(await model.evaluate(text, 50)).toBeLessThan(0.05);
      const spelling = {
        rest: 8,
        read: () => Int32Array.of(0, 1, 2, 3),
        spell: (ids: readonly number[]) => ids.join(' '),
      };
      expect(await writeText(model, spelling, 8, seededRandom(1))).toBe('0 1 2 3 4 5 6 0 1 2 3 4');
      model.destroy();
    });

    it('never draws the token for the rest', async () => {
      const start = anyParameters();
      start.bias[3] = 50;
      const model = await openModel(context, SIZES, start);
      const spelling = {
        read: () => Int32Array.of(0, 1, 2, 4),
        spell: (ids: readonly number[]) => ids.join(' '),
      };
      expect(await writeText(model, { ...spelling, rest: undefined }, 5, seededRandom(1))).toBe(
        '0 1 2 4 3 3 3 3 3',
      );
      expect(await writeText(model, { ...spelling, rest: 3 }, 30, seededRandom(1))).not.toContain('3');
      model.destroy();
    });

    if (backend === 'webgpu') {
      it('has a head of the whole vocabulary in bounded memory', async () => {
        const sizes = { classes: ALL_TOKENS, features: 4, rows: 96 };
        const model = await openModel(context, sizes);
        const { logits, scratch } = model.memory;
        // Either matrix is more than the library may take by default.
        expect(logits).toBe(2 * 4 * 96 * 200_019);
        expect(logits / 2).toBeGreaterThan(64 * 2 ** 20);
        expect(scratch).toBeGreaterThan(4 * 200_019);
        expect(scratch).toBeLessThanOrEqual(64 * 2 ** 20);
        const text = Int32Array.from({ length: 500 }, (_, i) => (i * 7919) % ALL_TOKENS);
        const random = seededRandom(1);
        const losses: number[] = [];
        for (let i = 0; i < 2; i++) {
          await model.step(drawBatch(text, sizes.rows, random), 0.1);
          losses.push(await model.readLoss());
        }
        expect(losses[0]).toBeCloseTo(Math.log(200_019), 4);
        expect(losses[1]).toBeLessThan(losses[0]! - 0.1);
        expect(await model.logitsAfter([1, 2, 3, 4])).toHaveLength(ALL_TOKENS);
        model.destroy();
      });

      it('says so where a matrix is larger than a binding', async () => {
        const device = context.device as GPUDevice;
        const features = Math.ceil(device.limits.maxStorageBufferBindingSize / 4 / ALL_TOKENS) + 1;
        const sizes = { classes: ALL_TOKENS, features, rows: 4 };
        const none = new Float32Array();
        const parameters = { embeddings: none, positions: none, weight: none, bias: none };
        await expect(openModel(context, sizes, parameters)).rejects.toThrow(
          /^a matrix of 200019 tokens x \d+ features takes \d+ bytes, .* use at most \d+ features, or a smaller vocabulary$/,
        );
      });
    }
  });
}

it('knows what a training takes', () => {
  expect(memoryOf({ classes: 1000, features: 10, rows: 20 })).toEqual({
    logits: 2 * 4 * 20 * 1000,
    // Embeddings, positions, weights and bias.
    parameters: 4 * (10_000 + CONTEXT * 10 + 10_000 + 1000),
    // Of all but the embeddings; and of the hidden states.
    gradients: 4 * (CONTEXT * 10 + 10_000 + 1000 + 200),
    optimizer: 4 * (2 * (CONTEXT * 10 + 10_000 + 1000) + 1000),
  });
});
