// What linearCrossEntropy holds for its logits, beside all of them. No device is needed: plans say it.
import { fakeDevice } from '../../test/support/fakeDevice.js';
import type { LinearShape } from '../measure/cases.js';
import { type Library, planOf } from '../measure/ours.js';
import { logitsBytes } from '../measure/scratch.js';
import { shapeText } from '../report/figures.js';

/** From a small head to 8,192 tokens of a vocabulary of 200,019. */
export const MEMORY_SHAPES: readonly LinearShape[] = [
  [256, 256, 8192],
  [1024, 768, 50257],
  [2048, 256, 200019],
  [4096, 2048, 128256],
  [8192, 1024, 200019],
];

export const MEMORY_HEAD: readonly string[] = [
  'rows × features × classes',
  'all logits, float32',
  'scratch, loss alone',
  'scratch, loss and gradients',
];

/** The rows of the table in README.md, in MiB. */
export async function memoryRows(library: Library): Promise<readonly (readonly string[])[]> {
  const context = await library.createContext({ device: fakeDevice() });
  const scratch = async (
    op: 'linearCrossEntropy' | 'linearCrossEntropyGrad',
    [rows, features, classes]: LinearShape,
  ): Promise<string> => {
    const plan = await planOf(library, context, { op, rows, features, classes, dtype: 'f32' });
    plan.destroy();
    return mebibytes(plan.scratchBytes);
  };
  return Promise.all(
    MEMORY_SHAPES.map(async (shape) => [
      shapeText(shape),
      mebibytes(logitsBytes({ rows: shape[0], classes: shape[2] })),
      await scratch('linearCrossEntropy', shape),
      await scratch('linearCrossEntropyGrad', shape),
    ]),
  );
}

function mebibytes(bytes: number): string {
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return `${(bytes / 2 ** 20).toLocaleString('en', digits)} MiB`;
}
