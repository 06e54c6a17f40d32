// What the functions of the library say of themselves.
import * as library from '../../src/index.js';
import { createContext, InvalidArgumentError } from '../../src/index.js';

const ctx = await createContext({ backend: 'cpu' });
const logits = () => ctx.tensor(new Float32Array(9), [3, 3]);

/** The options that a call has, from the message with which it refuses one that it has not. */
export async function optionsOf(name: string): Promise<string[]> {
  const call = (library as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
  if (call === undefined) throw new Error(`webgpu-loss has no ${name}`);
  const options = { shape: [3, 3], targets: 'index', noSuchOption: 1 };
  const args: Record<string, readonly unknown[]> = {
    createContext: [{ noSuchOption: 1 }],
    crossEntropy: [logits(), new Int32Array(3), { noSuchOption: 1 }],
    nllLoss: [logits(), new Int32Array(3), { noSuchOption: 1 }],
    binaryCrossEntropy: [logits(), logits(), { noSuchOption: 1 }],
    klDivergence: [logits(), logits(), { noSuchOption: 1 }],
    logitStats: [logits(), new Int32Array(3), { noSuchOption: 1 }],
    linearCrossEntropy: [logits(), logits(), new Int32Array(3), { noSuchOption: 1 }],
    planLinearCrossEntropy: [ctx, { shape: [3, 3], classes: 3, noSuchOption: 1 }],
    logSumExpGrad: [logits(), new Float32Array(3), new Float32Array(3), { noSuchOption: 1 }],
    softmaxGrad: [logits(), logits(), { noSuchOption: 1 }],
    logSoftmaxGrad: [logits(), logits(), { noSuchOption: 1 }],
  };
  const given = args[name] ?? (name.startsWith('plan') ? [ctx, options] : [logits(), { noSuchOption: 1 }]);
  const refusal = await (async () => call(...given))().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refusal instanceof InvalidArgumentError)) throw new Error(`${name} takes any option`);
  const list = /there are (.*)\.$/.exec(refusal.message)?.[1] ?? '';
  return [...new Set(list.split(/, | and /))];
}
