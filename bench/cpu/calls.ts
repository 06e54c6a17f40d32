import type { Context, Tensor } from 'webgpu-loss';
import type { Contender, OpName, Results } from '../measure/contender.js';
import type { Library } from '../measure/ours.js';

type Call = (library: Library, logits: Tensor, targets: Tensor) => Promise<Readonly<Record<string, Tensor>>>;

const CALLS: { readonly [O in OpName]?: Call } = {
  softmax: async ({ softmax }, logits) => ({ output: await softmax(logits) }),
  logSoftmax: async ({ logSoftmax }, logits) => ({ output: await logSoftmax(logits) }),
  logSumExp: async ({ logSumExp }, logits) => ({ output: await logSumExp(logits) }),
  crossEntropy: async ({ crossEntropy }, logits, targets) => ({ ...(await crossEntropy(logits, targets)) }),
  crossEntropyGrad: async ({ crossEntropy }, logits, targets) => ({
    ...(await crossEntropy(logits, targets, { grad: true })),
  }),
};

/** This library by its calls, each of which allocates its results, as tfjs does. */
export function callsContender(library: Library, context: Context): Contender {
  return {
    name: 'ours, by calls',
    async prepare({ op, rows, classes }, { inputs }) {
      const call = CALLS[op];
      if (call === undefined) return undefined;
      const logits = context.tensor(inputs['logits'] as Float32Array, [rows, classes]);
      const targets = context.tensor(inputs['targets'] ?? new Int32Array(rows), [rows]);
      const run = () => call(library, logits, targets);
      return {
        async submit(times) {
          for (let k = 0; k < times; k++) destroyAll(await run());
        },
        done: async () => undefined,
        async results(): Promise<Results> {
          const tensors = await run();
          const values = Object.entries(tensors).map(
            async ([name, tensor]) => [name, await tensor.read()] as const,
          );
          const results = Object.fromEntries(await Promise.all(values));
          destroyAll(tensors);
          return results;
        },
        destroy: () => destroyAll({ logits, targets }),
      };
    },
  };
}

function destroyAll(tensors: Readonly<Record<string, Tensor>>): void {
  for (const tensor of Object.values(tensors)) tensor.destroy();
}
