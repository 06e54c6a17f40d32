// `eval` without its command line: against PyTorch's losses and the float64 implementation, on the CPU and on SwiftShader.
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { openGpu } from '../../scripts/adapters.js';
import { whyNoSwiftShader } from '../../scripts/swiftshader.js';
import { checkTargets, matchFiles, type ScoreOptions, score } from '../../src/cli/eval/score.js';
import { type Summary, Tally } from '../../src/cli/eval/tally.js';
import { type ArrayFile, openArray } from '../../src/cli/files/arrayFile.js';
import { logitStats } from '../../src/cpu.js';
import { decodeHalf, encodeHalf } from '../../src/half.js';
import { type Context, createContext, TargetOutOfRangeError } from '../../src/index.js';
import { hardLogits, hardTargets, random } from '../conformance/data.js';
import { CONSERVATIVE, entropyFacts, indexLossBound, rowFacts, U } from '../support/bounds.js';
import type { GoldenCase, GoldenTensor } from '../support/golden.js';
import { loadGolden } from '../support/goldenFiles.js';
import { meanLossBound, valuesOf } from './expected.js';
import { bytesOf, fixture, npyHead, safetensors, temporaryFolder, write } from './files.js';

const folder = temporaryFolder();
const contexts: [string, Context][] = [['cpu', await createContext({ backend: 'cpu' })]];
if ((await whyNoSwiftShader()) === undefined) {
  const { gpu } = await openGpu({ adapter: 'swiftshader' });
  contexts.push(['swiftshader', await createContext({ backend: 'webgpu', gpu: gpu as GPU })]);
}
afterAll(() => {
  for (const [, context] of contexts) context.destroy();
});
const [[, cpu]] = contexts as [[string, Context]];

const DEFAULTS: ScoreOptions = { ignoreIndex: -100, temperature: 1, bins: 15 };

async function withFiles<T>(
  logits: string,
  targets: string,
  use: (logits: ArrayFile, targets: ArrayFile) => Promise<T>,
): Promise<T> {
  const files = [await openArray({ path: logits }, 'logits'), await openArray({ path: targets }, 'targets')];
  try {
    return await use(...(files as [ArrayFile, ArrayFile]));
  } finally {
    for (const file of files) await file.close();
  }
}

function scoreFiles(
  context: Context,
  logits: string,
  targets: string,
  options: Partial<ScoreOptions> = {},
): Promise<Summary> {
  return withFiles(logits, targets, async (x, t) => {
    const rows = matchFiles(x, t);
    const all = { ...DEFAULTS, ...options };
    await checkTargets(t, rows, all.ignoreIndex);
    return score(context, x, t, rows, all);
  });
}

let files = 0;
function npy(
  descr: string,
  shape: readonly number[],
  data: Float32Array | Float64Array | Uint16Array | Int32Array | BigInt64Array,
): string {
  return write(folder, `${files++}.npy`, npyHead(descr, shape), bytesOf(data));
}

const golden = new Map(loadGolden().cases.map((each) => [each.name, each]));
const lossesOf = ({ outputs, outputsExact }: GoldenCase): ArrayLike<number> =>
  ((outputsExact['loss'] ?? outputs['loss']) as GoldenTensor).data;

for (const [where, context] of contexts) {
  describe(`PyTorch's losses on files written by NumPy, on ${where}`, () => {
    for (const name of [
      'ce_001_C_index_mean',
      'ce_049_NC_index_mean',
      'ce_055_NC_index_mean_ii2',
      'ce_100_NCd1_index_mean_ii-100',
      'ce_151_NCd1d2_index_mean_ii2',
      'v10_ce_none',
      'v1025_ce_none',
    ]) {
      test(name, async () => {
        const of = golden.get(name) as GoldenCase;
        const paths = [fixture(`${name}.logits.npy`), fixture(`${name}.targets.npy`)] as const;
        const ignoreIndex = of.options.ignore_index ?? -100;
        const { loss, scored, ignored } = await scoreFiles(context, ...paths, { ignoreIndex });
        const losses = Array.from(lossesOf(of));
        const expected = losses.reduce((sum, each) => sum + each, 0) / losses.length;
        const [x, t] = [await valuesOf(paths[0]), await valuesOf(paths[1])];
        const classes = x.shape.at(-1) as number;
        const kept = Array.from(t.values).flatMap((target, r) =>
          target === ignoreIndex ? [] : [{ target, r }],
        );
        expect({ scored, ignored }).toEqual({ scored: kept.length, ignored: t.values.length - kept.length });
        const rows = kept.flatMap(({ r }) => Array.from(x.values).slice(r * classes, (r + 1) * classes));
        const bound = meanLossBound(
          rows,
          classes,
          kept.map(({ target }) => target),
        );
        expect(Math.abs(loss - expected)).toBeLessThanOrEqual(bound);
      });
    }

    test('hard rows: NaN, infinities, huge logits, masked classes', async () => {
      const names = JSON.parse(readFileSync(fixture('hard.json'), 'utf8')) as string[];
      // PyTorch computed in float64; here a loss of 6e38 is infinite.
      const losses = names.map((name) => {
        const loss = lossesOf(golden.get(name) as GoldenCase)[0] as number;
        return Number.isFinite(Math.fround(loss)) ? loss : Math.fround(loss);
      });
      const nans = losses.flatMap((loss, r) => (Number.isNaN(loss) ? [r] : []));
      const summary = await scoreFiles(context, fixture('hard.logits.npy'), fixture('hard.targets.npy'));
      expect(nans.length).toBeGreaterThan(0);
      expect(summary).toMatchObject({
        scored: names.length,
        nanRows: nans.length,
        firstNanRow: nans[0],
        infiniteRows: losses.filter((loss) => loss === Number.POSITIVE_INFINITY).length,
        loss: Number.NaN,
        perplexity: Number.NaN,
        entropy: Number.NaN,
        calibrationError: Number.NaN,
      });
      expect(summary.infiniteRows).toBeGreaterThan(0);

      // Each row by itself: the loss that PyTorch has.
      const { values: x } = await valuesOf(fixture('hard.logits.npy'));
      const { values: t } = await valuesOf(fixture('hard.targets.npy'));
      for (const [r, expected] of losses.entries()) {
        const row = Float32Array.from(x).slice(5 * r, 5 * r + 5);
        const target = BigInt64Array.of(BigInt(t[r] as number));
        const { loss } = await scoreFiles(context, npy('<f4', [1, 5], row), npy('<i8', [1], target));
        if (!Number.isFinite(expected)) expect(loss, names[r]).toBe(expected);
        else
          expect(Math.abs(loss - expected), names[r]).toBeLessThanOrEqual(
            meanLossBound(row, 5, [t[r] as number]),
          );
      }
    });

    test('a vocabulary of 50,257', async () => {
      const of = golden.get('big50257_ce_peaked') as GoldenCase;
      const { logits, target } = of.inputs as { logits: GoldenTensor; target: GoldenTensor };
      const x = logits.data as Float32Array;
      const t = target.data as Int32Array;
      const { loss } = await scoreFiles(context, npy('<f4', [3, 50257], x), npy('<i4', [3], t));
      const expected = Array.from(lossesOf(of)).reduce((sum, each) => sum + each, 0) / 3;
      expect(Math.abs(loss - expected)).toBeLessThanOrEqual(meanLossBound(x, 50257, t));
    });
  });
}

/** All measures in float64, written down anew; with the bounds of those that are not counted. */
function oracle(x: Float32Array, t: Int32Array, classes: number, { ignoreIndex, bins }: ScoreOptions) {
  const harmless = t.map((target) => (target === ignoreIndex ? 0 : target));
  const exact = logitStats(x, harmless, [t.length, classes], { topK: 1 });
  const kept = [...t.keys()].filter((r) => t[r] !== ignoreIndex);
  const mean = (of: (r: number) => number) => kept.reduce((sum, r) => sum + of(r), 0) / kept.length;
  const facts = (r: number) =>
    rowFacts(Float64Array.from(x.subarray(r * classes, (r + 1) * classes)), CONSERVATIVE);
  const right = (r: number) => Number(t[r] === exact.argmax[r]);
  const confidence = (r: number) =>
    Math.exp((exact.topK?.values[r] as number) - (exact.logSumExp[r] as number));
  const binOf = (r: number) => Math.max(Math.ceil(confidence(r) * bins) - 1, 0);
  const gaps = Array.from({ length: bins }, (_, bin) => {
    const members = kept.filter((r) => binOf(r) === bin);
    const accuracy = members.reduce((sum, r) => sum + right(r), 0) / members.length;
    const trust = members.reduce((sum, r) => sum + confidence(r), 0) / members.length;
    return members.length === 0 ? 0 : (members.length / kept.length) * Math.abs(accuracy - trust);
  });
  return {
    kept: kept.length,
    loss: mean((r) => -(exact.targetLogProb?.[r] as number)),
    lossBound: mean((r) => indexLossBound(facts(r), t[r] as number)),
    entropy: mean((r) => exact.entropy[r] as number),
    entropyBound: mean((r) => entropyFacts(facts(r)).error),
    accuracy: mean(right),
    top5Accuracy: mean((r) => Number((exact.targetRank?.[r] as number) < 5)),
    calibrationError: gaps.reduce((sum, gap) => sum + gap, 0),
    // A confidence has the relative error of the loss of its class; a bin's border is no place for these rows (asserted).
    calibrationBound: mean((r) => indexLossBound(facts(r), exact.argmax[r] as number)),
    fromBorder: Math.min(
      ...kept.map((r) => Math.abs(confidence(r) * bins - Math.round(confidence(r) * bins))),
    ),
  };
}

/** Rows whose classes are right more often than not, as those of a trained model; one row in ten is ignored. */
function modelRows(rows: number, classes: number, seed: number) {
  const next = random(seed);
  const x = Float32Array.from({ length: rows * classes }, () => 8 * (next() + next() + next() - 1.5));
  const t = Int32Array.from({ length: rows }, (_, r) => {
    const target = Math.floor(next() * classes);
    if (next() < 0.7) x[r * classes + target] = 6 + 9 * next();
    return next() < 0.1 ? -100 : target;
  });
  return { x, t };
}

for (const [where, context] of contexts) {
  // Far from 0, lse - max would have no more than three digits.
  test.each([0, 1e4])(`all measures against float64, on ${where}, logits around %d`, async (shift) => {
    const { x: centred, t } = modelRows(500, 40, 7);
    const x = centred.map((value) => value + shift);
    const options = { ...DEFAULTS, bins: 10 };
    const exact = oracle(x, t, 40, options);
    const found = await scoreFiles(context, npy('<f4', [500, 40], x), npy('<i4', [500], t), options);
    expect(exact.fromBorder).toBeGreaterThan(1e-5);
    expect(found).toMatchObject({
      scored: exact.kept,
      ignored: 500 - exact.kept,
      accuracy: exact.accuracy,
      top5Accuracy: exact.top5Accuracy,
      nanRows: 0,
      infiniteRows: 0,
    });
    expect(found.accuracy).toBeGreaterThan(0.3);
    expect(found.accuracy).toBeLessThan(found.top5Accuracy);
    expect(found.top5Accuracy).toBeLessThan(1);
    expect(Math.abs(found.loss - exact.loss)).toBeLessThanOrEqual(exact.lossBound);
    expect(found.perplexity).toBe(Math.exp(found.loss));
    expect(Math.abs(found.entropy - exact.entropy)).toBeLessThanOrEqual(exact.entropyBound);
    expect(Math.abs(found.calibrationError - exact.calibrationError)).toBeLessThanOrEqual(
      exact.calibrationBound,
    );
    expect(exact.calibrationError).toBeGreaterThan(100 * exact.calibrationBound);
    expect(found.calibration).toHaveLength(10);
    expect(found.calibration.reduce((sum, bin) => sum + bin.rows, 0)).toBe(exact.kept);
  });

  test(`chunks change no bit, on ${where}`, async () => {
    const x = hardLogits(61, 30, { seed: 3, extreme: true });
    const t = hardTargets(x, 30, { seed: 3, ignore: -100 });
    const paths = [npy('<f4', [61, 30], x), npy('<i4', [61], t)] as const;
    const whole = await scoreFiles(context, ...paths);
    expect(whole.firstNanRow).toBeGreaterThan(1);
    // One row, seven rows, and rows that divide the bytes badly.
    for (const chunkBytes of [1, 7 * 120, 1000]) {
      const progress: number[] = [];
      const onProgress = (rows: number) => progress.push(rows);
      expect(await scoreFiles(context, ...paths, { chunkBytes, onProgress })).toEqual(whole);
      const most = Math.max(1, Math.floor(chunkBytes / 120));
      expect(progress).toEqual(
        Array.from({ length: Math.ceil(61 / most) }, (_, i) => Math.min(61, (i + 1) * most)),
      );
    }
  });
}

describe('types of elements', () => {
  const { x, t } = modelRows(20, 7, 5);
  const targets = npy('<i4', [20], t);
  const reference = (values: Float32Array) => scoreFiles(cpu, npy('<f4', [20, 7], values), targets);

  test('float64 is rounded to float32 once', async () => {
    const doubles = Float64Array.from(x, (value) => value + 1e-9);
    expect(await scoreFiles(cpu, npy('<f8', [20, 7], doubles), targets)).toEqual(
      await reference(Float32Array.from(doubles)),
    );
  });

  test('float64 beyond float32 is refused, with the row', async () => {
    const doubles = Float64Array.from(x);
    doubles[7 * 11 + 3] = -1e39;
    await expect(scoreFiles(cpu, npy('<f8', [20, 7], doubles), targets, { chunkBytes: 500 })).rejects.toThrow(
      /row 11 has a logit that is too large for float32\.$/,
    );
    doubles[7 * 11 + 3] = Number.NEGATIVE_INFINITY;
    const { nanRows } = await scoreFiles(cpu, npy('<f8', [20, 7], doubles), targets);
    expect(nanRows).toBe(0);
  });

  test('float16, and float16 and bfloat16 in safetensors', async () => {
    for (const [dtype, name] of [
      ['f16', 'F16'],
      ['bf16', 'BF16'],
    ] as const) {
      const bits = encodeHalf(dtype, x);
      const expected = await reference(decodeHalf(dtype, bits));
      const path = write(
        folder,
        `${name}.safetensors`,
        safetensors({
          logits: { dtype: name, shape: [20, 7], data: bits },
          targets: { dtype: 'I32', shape: [20], data: t },
        }),
      );
      // The CPU computes cross-entropies of 16 bits as those of 32, and everything in the order of rows.
      expect(await scoreFiles(cpu, path, path)).toEqual(expected);
      if (dtype === 'f16')
        expect(await scoreFiles(cpu, npy('<f2', [20, 7], bits), targets)).toEqual(expected);
    }
  });

  test('targets of every type', async () => {
    const logits = fixture('x-f4.npy');
    const expected = await scoreFiles(cpu, logits, fixture('t-i4.npy'));
    expect(expected.scored).toBe(4);
    for (const type of ['i1', 'u1', 'i2', 'u2', 'u4', 'i8', 'u8']) {
      expect(await scoreFiles(cpu, logits, fixture(`t-${type}.npy`))).toEqual(expected);
    }
  });
});

describe('temperature', () => {
  test('divides the logits', async () => {
    const { x, t } = modelRows(50, 9, 8);
    const targets = npy('<i4', [50], t);
    const halved = await scoreFiles(
      cpu,
      npy(
        '<f4',
        [50, 9],
        x.map((value) => value / 2),
      ),
      targets,
    );
    for (const context of contexts.map(([, each]) => each)) {
      const divided = await scoreFiles(context, npy('<f4', [50, 9], x), targets, { temperature: 2 });
      const { accuracy, top5Accuracy } = halved;
      expect(divided).toMatchObject({ accuracy, top5Accuracy });
      if (context === cpu) expect(divided).toEqual(halved);
    }
    const plain = await scoreFiles(cpu, npy('<f4', [50, 9], x), targets);
    expect(plain.loss).not.toBe(halved.loss);
  });

  test('16-bit floats too', async () => {
    const { x, t } = modelRows(20, 9, 8);
    const bits = encodeHalf('f16', x);
    const targets = npy('<i4', [20], t);
    const halved = decodeHalf('f16', bits).map((value) => value / 3);
    expect(await scoreFiles(cpu, npy('<f2', [20, 9], bits), targets, { temperature: 3 })).toEqual(
      await scoreFiles(cpu, npy('<f4', [20, 9], halved), targets),
    );
  });

  test('a logit that becomes infinite is refused', async () => {
    const x = Float32Array.of(1e38, 0, 0, 1);
    await expect(
      scoreFiles(cpu, npy('<f4', [2, 2], x), npy('<i4', [2], Int32Array.of(0, 0)), { temperature: 0.1 }),
    ).rejects.toThrow(/row 0 has a logit that is too large for float32 once divided by 0\.1\.$/);
  });
});

describe('targets out of range', () => {
  const logits = npy('<f4', [6, 3], new Float32Array(18));
  const attempt = (...values: readonly number[]) =>
    scoreFiles(cpu, logits, npy('<i8', [6], BigInt64Array.from(values, BigInt))).catch(
      (error: unknown) => error,
    );

  test('the first one is named, with its row in the file', async () => {
    for (const [values, row, value] of [
      [[0, 1, 2, -100, 3, 9], 4, 3],
      [[0, 1, 2, -100, 2, -1], 5, -1],
      [[2 ** 32, 0, 0, 0, 0, 0], 0, 2 ** 32],
    ] as const) {
      const error = await attempt(...values);
      expect(error).toBeInstanceOf(TargetOutOfRangeError);
      expect(error).toMatchObject({ row, value, classes: 3, op: 'eval' });
    }
  });

  test('any target may be the one to ignore', async () => {
    const targets = npy('<i8', [6], BigInt64Array.of(0n, 7n, 1n, 7n, 2n, 7n));
    expect(await scoreFiles(cpu, logits, targets, { ignoreIndex: 7 })).toMatchObject({
      scored: 3,
      ignored: 3,
    });
  });
});

test('rows without a softmax: a NaN has no class, infinities are ranked', async () => {
  const rows = [
    [Number.NaN, 1, 2],
    [Number.POSITIVE_INFINITY, 1, 2],
    [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    [0, Number.NEGATIVE_INFINITY, 0],
  ];
  const logits = npy('<f4', [4, 3], Float32Array.from(rows.flat()));
  const targets = (last: number) => npy('<i4', [4], Int32Array.of(0, 0, 0, last));
  expect(await scoreFiles(cpu, logits, targets(1))).toMatchObject({
    nanRows: 3,
    firstNanRow: 0,
    infiniteRows: 1,
    loss: Number.NaN,
    // The second and the third row: the largest logit is the target's.
    accuracy: 0.5,
    top5Accuracy: 0.75,
    calibrationError: Number.NaN,
  });
  const ignored = npy('<i4', [4], Int32Array.of(-100, -100, -100, 1));
  expect(await scoreFiles(cpu, logits, ignored)).toMatchObject({
    nanRows: 0,
    loss: Number.POSITIVE_INFINITY,
    perplexity: Number.POSITIVE_INFINITY,
    entropy: Math.fround(Math.LN2),
    calibrationError: Math.exp(-Math.fround(Math.LN2)),
  });
});

test('no row at all, and none that counts: means are NaN', async () => {
  const none = { scored: 0, loss: Number.NaN, accuracy: Number.NaN, calibrationError: Number.NaN };
  const empty = npy('<i4', [0], new Int32Array(0));
  expect(await scoreFiles(cpu, npy('<f4', [0, 3], new Float32Array(0)), empty)).toMatchObject({
    ...none,
    ignored: 0,
  });
  const ignored = npy('<i4', [2], Int32Array.of(-100, -100));
  expect(await scoreFiles(cpu, npy('<f4', [2, 3], new Float32Array(6)), ignored)).toMatchObject({
    ...none,
    ignored: 2,
  });
});

test('files that do not belong together', async () => {
  const x = (shape: readonly number[]) =>
    npy('<f4', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
  const t = (shape: readonly number[]) => npy('<i4', shape, new Int32Array(shape.reduce((a, b) => a * b, 1)));
  const attempts: readonly (readonly [string, string, RegExp])[] = [
    [x([4, 3]), t([3]), /has the shape \[3\]; logits of shape \[4, 3\] need targets of shape \[4\]\.$/],
    [x([2, 4, 3]), t([8]), /need targets of shape \[2, 4\]\.$/],
    [x([4, 3]), t([1]), /need targets of shape \[4\]\.$/],
    [x([4, 3]), t([4, 1]), /has the shape \[4, 1\]/],
    [t([4]), x([4, 3]), /holds whole numbers \(i32\); logits are floats\. Are the two files swapped\?/],
    [x([4, 3]), x([4, 3]), /holds floats \(f32\); one class index a row is needed/],
    [x([4, 0]), t([4]), /has the shape \[4, 0\]; a last axis of classes is needed/],
    [x([]), t([]), /has the shape \[\]; a last axis of classes is needed/],
  ];
  for (const [logits, targets, message] of attempts) {
    await expect(scoreFiles(cpu, logits, targets)).rejects.toThrow(message);
  }
  // One row, with and without a dimension for it.
  const row = npy('<f4', [3], new Float32Array(3));
  const bound = indexLossBound(rowFacts(new Float64Array(3), CONSERVATIVE), 0) + U;
  for (const shape of [[], [1]]) {
    expect(Math.abs((await scoreFiles(cpu, row, t(shape))).loss - Math.log(3))).toBeLessThanOrEqual(bound);
  }
});

describe('the tally', () => {
  const one = (surprise: number, rank: number) => ({
    losses: [1],
    surprises: [surprise],
    entropies: [1],
    ranks: [rank],
  });

  test('a bin holds what is above its lower and up to its upper end', () => {
    const tally = new Tally(4);
    for (const confidence of [0.25, 0.2500001, 0.5, 1, 0]) {
      tally.add(1, () => true, one(-Math.log(confidence), 0));
    }
    expect(tally.summary().calibration.map(({ rows }) => rows)).toEqual([2, 2, 0, 1]);
  });

  test('the calibration error weighs bins by their rows', () => {
    const tally = new Tally(2);
    // Three rows of confidence 1, of which two are right; one of confidence 0.5 that is right.
    for (const rank of [0, 0, 1]) tally.add(1, () => true, one(0, rank));
    tally.add(1, () => true, one(Math.LN2, 0));
    expect(tally.summary().calibrationError).toBeCloseTo((3 / 4) * (1 / 3) + (1 / 4) * 0.5, 12);
  });
});
