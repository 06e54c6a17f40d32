// Which of the two works on rows, and how WebAssembly comes by its memory.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { crossEntropy } from '../../src/cpu/float32/crossEntropy.js';
import { plain } from '../../src/cpu/float32/plain.js';
import type { RowMachine } from '../../src/cpu/float32/rows.js';
import { openSimd } from '../../src/cpu/float32/simd/machine.js';
import { logSoftmax, softmax } from '../../src/cpu/float32/softmax.js';
import * as oracle from '../../src/cpu.js';
import { layoutOf } from '../../src/shape.js';
import { sameBits } from '../conformance/assert.js';
import { hardLogits } from '../conformance/data.js';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.resetModules();
});

function softmaxBy(machine: RowMachine, logits: Float32Array, shape: readonly number[]): Float32Array {
  const output = new Float32Array(logits.length);
  softmax(machine, logits, output, layoutOf('test', shape), 1);
  return output;
}

/** The library anew, as a page loads it. */
const load = () => import('../../src/index.js');

describe('a context on the CPU', () => {
  const logits = hardLogits(20, 300, { seed: 4 });

  async function bySoftmax(reproducible = false): Promise<[string, Float32Array]> {
    const { createContext, softmax: softmaxOfTensor } = await load();
    const ctx = await createContext({ backend: 'cpu', reproducible });
    const output = await softmaxOfTensor(ctx.tensor(logits, [20, 300]));
    const values = (await output.read()) as Float32Array;
    const { description } = ctx.info;
    ctx.destroy();
    return [description, values];
  }

  test('computes in WebAssembly', async () => {
    const expected = softmaxBy(await openSimd(), logits, [20, 300]);
    expect(expected).not.toEqual(Float32Array.from(oracle.softmax(logits, [20, 300])));
    expect(await bySoftmax()).toEqual(['CPU (WebAssembly)', expected]);
  });

  const inJavaScript = ['CPU (JavaScript)', softmaxBy(plain, logits, [20, 300])];

  test('computes in JavaScript where there is no WebAssembly', async () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(await bySoftmax()).toEqual(inJavaScript);
  });

  test('computes in JavaScript where WebAssembly is forbidden or has no SIMD, and asks once', async () => {
    const refuse = vi
      .spyOn(WebAssembly, 'instantiate')
      .mockRejectedValue(new WebAssembly.CompileError('refused'));
    expect(await bySoftmax()).toEqual(inJavaScript);
    expect(await bySoftmax()).toEqual(inJavaScript);
    expect(refuse).toHaveBeenCalledTimes(1);
  });

  test('asks for no WebAssembly before there is one, nor for reproducible results', async () => {
    const instantiate = vi.spyOn(WebAssembly, 'instantiate');
    await load();
    await bySoftmax(true);
    expect(instantiate).not.toHaveBeenCalled();
    await bySoftmax();
    expect(instantiate).toHaveBeenCalledTimes(1);
  });
});

describe('the memory of WebAssembly', () => {
  /** Rows around the sizes where it grows, long and short in turn. */
  const SHAPES = [
    [2, 12_284],
    [2, 12_285],
    [40, 3],
    [1, 300_000],
    [3000, 10],
    [3, 300_001],
  ] as const;

  test('grows to hold a row, and what was learnt of it before is forgotten', async () => {
    const machine = await openSimd();
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    const grown: number[] = [];
    for (const [rows, classes] of SHAPES) {
      const logits = hardLogits(rows, classes, { seed: classes, first: 7 });
      const expected = oracle.softmax(logits, [rows, classes]);
      const actual = softmaxBy(machine, logits, [rows, classes]);
      const worst = actual.reduce((most, p, i) => Math.max(most, Math.abs(p - (expected[i] as number))), 0);
      expect(worst, `${rows} x ${classes}`).toBeLessThan(2 ** -20);
      grown.push(grow.mock.calls.length);
    }
    expect(grown).toEqual([0, 1, 1, 2, 2, 2]);
  });

  test('that cannot grow leaves the row to JavaScript', async () => {
    const machine = await openSimd();
    vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('no memory');
    });
    const logits = hardLogits(1, 300_000, { seed: 1 });
    sameBits(softmaxBy(machine, logits, [1, 300_000]), softmaxBy(plain, logits, [1, 300_000]), 'softmax');
    const short = hardLogits(5, 30, { seed: 1 });
    expect(softmaxBy(machine, short, [5, 30])).not.toEqual(softmaxBy(plain, short, [5, 30]));
  });

  test('does not grow for rows of more than 64 MiB', async () => {
    const machine = await openSimd();
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
    const classes = 2 ** 24 + 1;
    const logits = new Float32Array(classes);
    logSoftmax(machine, logits, logits, layoutOf('test', [classes]), 1);
    expect(logits[classes - 1]).toBeCloseTo(-Math.log(classes), 5);
    expect(grow).not.toHaveBeenCalled();
  });
});

describe.each(['JavaScript', 'WebAssembly'])('in %s', (language) => {
  test('a row has the same bits in any company', async () => {
    const machine = language === plain.language ? plain : await openSimd();
    const rows = 9;
    for (let classes = 1; classes <= 20; classes++) {
      const shape = [rows, classes];
      const logits = hardLogits(rows, classes, { seed: classes, extreme: true });
      const together = everything(machine, logits, shape, GRAD_OUTPUT);
      for (let r = 0; r < rows; r++) {
        const [from, to] = [r * classes, (r + 1) * classes];
        const alone = everything(machine, logits.slice(from, to), [1, classes], GRAD_OUTPUT.slice(r, r + 1));
        for (const [k, values] of together.entries()) {
          sameBits(
            values.slice(from, to),
            alone[k] as Float32Array,
            `${classes} classes, row ${r}, result ${k}`,
          );
        }
      }
    }
  });
});

/** One of them with a factor of the gradient that float32 does not hold at this temperature. */
const GRAD_OUTPUT = Float32Array.of(1, 2, -1, 0.5, 1e37, 1, -3, 1e-30, 4);
const TEMPERATURE = 1 / 64;

function everything(
  machine: RowMachine,
  logits: Float32Array,
  shape: readonly number[],
  gradOutput: Float32Array,
): Float32Array[] {
  const layout = layoutOf('test', shape);
  const results = [0, 1, 2].map(() => new Float32Array(logits.length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [probs, logProbs, grad] = results;
  softmax(machine, logits, probs, layout, TEMPERATURE);
  logSoftmax(machine, logits, logProbs, layout, TEMPERATURE);
  const targets = new Int32Array(layout.rows);
  const loss = new Float32Array(layout.rows);
  const options = { reduction: 'none', gradOutput, temperature: TEMPERATURE } as const;
  crossEntropy(machine, logits, targets, shape, options, { loss, grad });
  return results;
}
