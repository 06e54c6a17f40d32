// What a call costs the host until its promise resolves: checking, planning, allocating, binding, submitting.

import { type Context, crossEntropy, logSumExp, softmax, type Tensor } from 'webgpu-loss';
import { type Figures, timeAsync } from './time.js';

export interface CallFigures {
  readonly name: string;
  readonly call: Figures;
}

const [ROWS, CLASSES] = [64, 1000];

/** On tensors that a device is soon done with: what is timed does not wait for it. */
export async function timeCalls(context: Context, only: string, timeMs: number): Promise<CallFigures[]> {
  const device = context.device as GPUDevice;
  const logits = context.tensor(new Float32Array(ROWS * CLASSES), [ROWS, CLASSES]);
  const targets = context.tensor(new Int32Array(ROWS), [ROWS]);
  const calls: readonly (readonly [name: string, call: () => Promise<readonly (Tensor | undefined)[]>])[] = [
    ['softmax', async () => [await softmax(logits)]],
    ['logSumExp', async () => [await logSumExp(logits)]],
    ['crossEntropy', async () => Object.values(await crossEntropy(logits, targets))],
    [
      'crossEntropy with gradient',
      async () => Object.values(await crossEntropy(logits, targets, { grad: true })),
    ],
  ];
  const figures: CallFigures[] = [];
  for (const [name, call] of calls.filter(([name]) => name.includes(only))) {
    let results: readonly (Tensor | undefined)[] = [];
    figures.push({
      name: `${name} ${ROWS}x${CLASSES}`,
      call: await timeAsync(timeMs, {
        async step() {
          results = await call();
        },
        async settle() {
          for (const tensor of results) tensor?.destroy();
          await device.queue.onSubmittedWorkDone();
        },
      }),
    });
  }
  logits.destroy();
  targets.destroy();
  return figures;
}
