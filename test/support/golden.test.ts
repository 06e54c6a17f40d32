import { expect, test } from 'vitest';
import { mulberry32, parseGolden } from './golden.js';
import { loadGolden } from './goldenFiles.js';

test('mulberry32 begins as the golden data says', () => {
  expect([...mulberry32(1, 3)]).toEqual([2693262067, 11749833, 2265367787]);
});

test('reads stored, generated and summarised tensors', () => {
  const bytes = new ArrayBuffer(40);
  new Float32Array(bytes, 0, 2).set([1.5, Number.NEGATIVE_INFINITY]);
  new Int32Array(bytes, 8, 2).set([7, -100]);
  new Float64Array(bytes, 16, 3).set([0.1, 0.2, 0.3]);
  const stored = (dtype: string, offset: number, count: number) => ({
    dtype,
    shape: [count],
    file: 'b',
    offset,
    count,
  });
  const manifest = {
    format: 'golden-loss/1',
    cases: [
      {
        name: 'one',
        op: 'softmax',
        tags: ['hard'],
        options: { dim: -1 },
        inputs: {
          logits: stored('f32', 0, 2),
          target: stored('i32', 8, 2),
          made: {
            dtype: 'f32',
            shape: [3],
            gen: {
              kind: 'mulberry32',
              seed: 1,
              offset: 8388608,
              shift: 20,
              patch: [{ from: 1, to: 2, value: '-Infinity' }],
            },
          },
        },
        outputs: {
          output: {
            dtype: 'f64',
            shape: [9],
            summary: {
              index: stored('i32', 8, 1),
              value: stored('f64', 16, 1),
              row_sum: stored('f64', 24, 1),
              row_abs_sum: stored('f64', 32, 1),
            },
          },
        },
      },
    ],
  };
  const [golden] = parseGolden(JSON.stringify(manifest), { b: bytes }).cases;
  expect(golden?.inputs['logits']?.data).toEqual(Float32Array.of(1.5, Number.NEGATIVE_INFINITY));
  expect(golden?.inputs['target']?.data).toEqual(Int32Array.of(7, -100));
  expect(golden?.inputs['made']?.data).toEqual(
    Float32Array.of(
      ((2693262067 >>> 8) - 8388608) / 2 ** 20,
      Number.NEGATIVE_INFINITY,
      ((2265367787 >>> 8) - 8388608) / 2 ** 20,
    ),
  );
  expect(golden?.outputs['output']).toEqual({
    dtype: 'f64',
    shape: [9],
    summary: {
      index: Int32Array.of(7),
      value: Float64Array.of(0.1),
      rowSum: Float64Array.of(0.2),
      rowAbsSum: Float64Array.of(0.3),
    },
  });
  expect(() => parseGolden(JSON.stringify(manifest), {}).cases).toThrow('no bytes for b');
  expect(() => parseGolden('{"format":"golden-loss/2","cases":[]}', {})).toThrow('golden-loss/2');
});

test('finds all cases of the data in test/golden', () => {
  expect(loadGolden().cases).toHaveLength(1569);
});
