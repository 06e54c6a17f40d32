// Statistics of rows of logits: every strategy and length of list, ties, special rows, layouts, plans.

import fc from 'fast-check';
import {
  type Context,
  InvalidArgumentError,
  type LogitStatsBindings,
  logitStats,
  type OpPlan,
  type Policy,
  planLogitStats,
  type Strategy,
  TargetOutOfRangeError,
  type Tensor,
} from '../../src/index.js';
import { layoutOf, rowShape } from '../../src/shape.js';
import { assert, check, equal, gpuCheck, type Keep, refusesAll, rejects, sameBits } from './assert.js';
import type { Check, Env } from './check.js';
import { hardLogits, hardTargets, normals, random } from './data.js';
import { bitsOf, Calls, contextOn, counting, foreignBuffer, intercept } from './device.js';
import { GUARD_WORDS, guarded, paddedBuffer, SENTINEL } from './layouts.js';
import { checkLogitStats, runStats, type StatsCase, tensorsOf } from './logitStatsCheck.js';
import { property, rowsCases, wild } from './properties.js';
import { expectShape, numbers } from './tensors.js';

/** Everything about logitStats. */
export function logitStatsChecks(): Check[] {
  return [
    ...strategyChecks(),
    wideWorkgroup,
    ...specialRowChecks(),
    anyBits,
    ...layoutChecks(),
    inChunks,
    manyRows,
    noRows,
    targetsOutOfRange,
    ...planChecks(),
  ];
}

/** Small workgroups: a software adapter takes its time to compile much workgroup memory. */
const POLICIES: Readonly<Record<Strategy, Partial<Policy>>> = {
  'row-per-thread': { workgroupSize: 16 },
  'row-per-workgroup': { workgroupSize: 16 },
  'split-row': { workgroupSize: 16, segment: 256 },
};

/**
 * How long a list to ask for: none, within a thread's list, of two and three rounds, all (of many rounds), with the numbers of classes to
 * ask it of.
 */
const LISTS: readonly [topK: number | 'all' | undefined, ...classes: number[]][] = [
  [undefined, 1, 5, 16, 100, 257, 5000],
  [3, 3, 17, 1025, 20_001],
  [16, 17, 257],
  [40, 64, 1028, 5000],
  ['all', 2, 60],
];

function strategyChecks(): Check[] {
  return (Object.keys(POLICIES) as Strategy[]).flatMap((strategy) =>
    LISTS.map(([topK, ...sizes], k) => ({
      name: `logitStats: ${strategy}, topK ${topK ?? 'none'}`,
      run: async (env: Env) => {
        for (const [at, classes] of sizes.entries()) {
          const rows = classes > 2000 ? 3 : classes > 100 ? 10 : 67;
          const seed = 100 * at + k;
          const hard = hardLogits(rows, classes, { seed, first: at, extreme: at % 2 === 0 });
          const logits = withTies(hard, classes, seed);
          const policy = { strategy, ...POLICIES[strategy] };
          const where = `[${rows}, ${classes}], topK ${topK}, ${JSON.stringify(policy)}`;
          const layout = layoutOf('logitStats', [rows, classes]);
          const of = { where, layout, logits, policy, topK: topK === 'all' ? classes : topK };
          await checkLogitStats(env, { ...of, targets: hardTargets(logits, classes, { seed }) });
          if (at === 1) await checkLogitStats(env, of);
        }
      },
    })),
  );
}

/** The workgroup that adapters get by default where they are no software, and a list of two rounds. */
const wideWorkgroup = check('logitStats: workgroups of 64', async (env) => {
  const layout = layoutOf('logitStats', [5, 3001]);
  const logits = withTies(hardLogits(5, 3001, { seed: 8 }), 3001, 8);
  const targets = hardTargets(logits, 3001, { seed: 8 });
  const policy = { strategy: 'row-per-workgroup', workgroupSize: 64 } as const;
  await checkLogitStats(env, { where: '[5, 3001], 64 threads', layout, logits, targets, topK: 20, policy });
});

/** Every third row with few different values, zeros of both signs among them. */
function withTies(
  logits: Float32Array<ArrayBuffer>,
  classes: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  const next = random(seed);
  const values = [0, -0, 1, -1, Number.NEGATIVE_INFINITY, 0, -0];
  return logits.map((x, i) =>
    Math.floor(i / classes) % 3 === 2 ? (values[Math.floor(next() * values.length)] as number) : x,
  );
}

const SMALLEST = 2 ** -149;
const LARGEST = 2 ** 128 - 2 ** 104;
const { NEGATIVE_INFINITY: MASKED, POSITIVE_INFINITY: INFINITE, NaN: NONE } = Number;

/** Ties, zeros of both signs, subnormals (which arithmetic may flush, but a rank must not), infinities, NaN. */
const SPECIAL: readonly (readonly number[])[] = [
  [-0, 0, -1, 0, -0],
  [0, -0, 0, -0, 1],
  [-0, -0, -0, -0, -0],
  [1, 1, 1, 1, 1],
  [2, 1, 2, 1, 2],
  [0, SMALLEST, -SMALLEST, -0, 2 * SMALLEST],
  [-SMALLEST, 0, -2 * SMALLEST, -0, -SMALLEST],
  [LARGEST, -LARGEST, LARGEST, 0, -0],
  [MASKED, MASKED, MASKED, MASKED, MASKED],
  [MASKED, 0, MASKED, -LARGEST, MASKED],
  [0, INFINITE, 1, INFINITE, MASKED],
  [INFINITE, INFINITE, INFINITE, INFINITE, INFINITE],
  [MASKED, MASKED, INFINITE, MASKED, MASKED],
  [3, NONE, 1, 2, 0],
  [NONE, NONE, NONE, NONE, NONE],
  [INFINITE, MASKED, NONE, 0, INFINITE],
];

/** Every special row with every target, at the start and at the end of a row that is else masked. */
function specialRowChecks(): Check[] {
  // With masks, a row of the split strategy has a segment of nothing else; its list takes two rounds.
  const cases: readonly [Strategy, classes: number, ...topK: number[]][] = [
    ['row-per-thread', 9, 2, 5],
    ['row-per-workgroup', 9, 2, 5],
    ['split-row', 2 * 128 + 9, 2, 24],
  ];
  return cases.map(([strategy, classes, ...lists]) =>
    check(`logitStats: special rows, ${strategy}`, async (env) => {
      const rows: number[][] = [];
      const targets: number[] = [];
      for (const row of SPECIAL) {
        for (const first of [0, classes - row.length]) {
          for (const target of [...row.keys()].map((c) => first + c).concat(first === 0 ? classes - 1 : 0)) {
            const masked = Array<number>(classes).fill(MASKED);
            masked.splice(first, row.length, ...row);
            rows.push(masked);
            targets.push(target);
          }
        }
      }
      for (const topK of lists) {
        await checkLogitStats(env, {
          where: `special rows, ${strategy}, topK ${topK}`,
          layout: layoutOf('logitStats', [rows.length, classes]),
          logits: Float32Array.from(rows.flat()),
          targets: Int32Array.from(targets),
          topK,
          policy: { strategy, workgroupSize: 8, segment: 128 },
        });
      }
    }),
  );
}

/** Numbers of which many are equal, and any bits. */
function tied(): fc.Arbitrary<number> {
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(0, 0x80000000, 0x3f800000, 0xbf800000, 1, 0x80000001, 0xff800000),
    },
    wild(),
  );
}

/** Few lengths of list, the longer one of two rounds: each is a shader of its own, or several, to compile. */
const anyBits = property<StatsCase>(
  'logitStats of any bits, shape and axis',
  60,
  rowsCases(tied()).chain((of) => {
    const { rows, classes } = of.layout;
    const topK = [18, 2].find((k) => k <= classes);
    return fc
      .array(fc.nat(classes - 1), { minLength: rows, maxLength: rows })
      .map((targets) => ({ ...of, targets: Int32Array.from(targets), topK }));
  }),
  checkLogitStats,
);

function layoutChecks(): Check[] {
  return [
    gpuCheck('logitStats: all of a result is written, and nothing beside it', async (env, keep, device) => {
      const ctx = keep(await guarded(env));
      for (const [classes, topK] of [
        [1, 1],
        [5, undefined],
        [8, 3],
        [33, 18],
      ] as const) {
        const layout = layoutOf('logitStats', [3, classes]);
        const logits = normals(3 * classes, classes);
        const results = await runStats(ctx, keep, {
          where: '',
          layout,
          logits,
          targets: Int32Array.of(0, classes - 1, classes >> 1),
          topK,
        });
        for (const [name, tensor] of Object.entries(results)) {
          const what = `${name} of ${classes} classes`;
          const length = tensor.shape.reduce((product, size) => product * size, 1);
          const bits = await bitsOf(device, tensor.buffer as GPUBuffer);
          equal(bits.subarray(0, length).indexOf(SENTINEL), -1, `${what}: the element that was not written`);
          const touched = bits.subarray(length).findIndex((word) => word !== SENTINEL);
          equal(touched, -1, `${what}: the word behind the result that was written`);
          assert(bits.length >= length + GUARD_WORDS, `${what}: no guard band`);
        }
      }
    }),
    gpuCheck('logitStats: padded rows from any byte', async ({ ctx }, keep, device) => {
      for (const [classes, rowStride, byteOffset] of [
        [5, 7, 0],
        [5, 7, 252],
        [5, 7, 260],
        [8, 12, 16],
        [8, 8, 4],
        [40, 41, 8],
        [40, 44, 256],
      ] as const) {
        const what = `${classes} classes, ${rowStride} apart, from byte ${byteOffset}`;
        const layout = layoutOf('logitStats', [3, classes]);
        const logits = normals(3 * classes, classes);
        const targets = Int32Array.of(0, classes - 1, classes >> 1);
        const topK = Math.min(classes, 18);
        const expected = await runStats(ctx, keep, { where: what, layout, logits, targets, topK });
        const x = ctx.fromBuffer(
          keep(paddedBuffer(device, logits, classes, rowStride, byteOffset)),
          [3, classes],
          {
            rowStride,
            byteOffset,
          },
        );
        const words = new Int32Array(byteOffset / 4 + 3);
        words.set(targets, byteOffset / 4);
        const t = ctx.fromBuffer(keep(foreignBuffer(device, words)), [3], { dtype: 'i32', byteOffset });
        const results = tensorsOf(await logitStats(keep(x), keep(t), { topK }));
        for (const [name, tensor] of Object.entries(results)) {
          sameBits(await keep(tensor).read(), await (expected[name] as Tensor).read(), `${name} of ${what}`);
        }
      }
    }),
  ];
}

/** A list of two rounds, whose second one goes on in the middle of the batch. */
const inChunks = gpuCheck('logitStats: rows in several dispatches', async (env, keep) => {
  const limits = { maxStorageBufferBindingSize: () => 32_000, maxComputeWorkgroupsPerDimension: () => 16 };
  const small = keep(await contextOn(env, { limits: (own) => intercept(own, limits) }));
  const [rows, classes] = [100, 150];
  const layout = layoutOf('logitStats', [rows, classes]);
  const logits = hardLogits(rows, classes, { seed: 3, extreme: true });
  const targets = hardTargets(logits, classes, { seed: 3 });
  for (const policy of [
    { strategy: 'row-per-workgroup', workgroupSize: 8 },
    { strategy: 'split-row', workgroupSize: 8, segment: 128 },
  ] as const) {
    const of = { where: policy.strategy, layout, logits, targets, topK: 18, policy };
    const [whole, parts] = [await runStats(env.ctx, keep, of), await runStats(small, keep, of)];
    for (const [name, tensor] of Object.entries(parts)) {
      sameBits(await tensor.read(), await (whole[name] as Tensor).read(), `${name}, ${policy.strategy}`);
    }
    const plan = keep(await planLogitStats(small, { shape: layout.shape, targets: true, topK: 18, policy }));
    assert(
      plan.passes.some(({ variant, grids }) => variant.startsWith('next-top') && grids.length > 1),
      'the second round is not cut into dispatches',
    );
  }
});

const manyRows = check('logitStats: more rows than a grid is wide', async (env) => {
  const layout = layoutOf('logitStats', [70_000, 3]);
  const logits = hardLogits(layout.rows, 3, { seed: 4 });
  const targets = hardTargets(logits, 3, { seed: 4 });
  const policy = { strategy: 'row-per-workgroup', workgroupSize: 8 } as const;
  await checkLogitStats(env, { where: '[70000, 3]', layout, logits, targets, topK: 2, policy });
});

const noRows = check('logitStats: no rows', async ({ ctx }, keep) => {
  const logits = keep(ctx.tensor(new Float32Array(0), [2, 0, 5]));
  const targets = keep(ctx.tensor(new Int32Array(0), [2, 0]));
  for (const given of [undefined, targets]) {
    for (const [name, tensor] of Object.entries(tensorsOf(await logitStats(logits, given, { topK: 3 })))) {
      expectShape(keep(tensor), name.startsWith('topK') ? [2, 0, 3] : [2, 0], name);
      equal((await tensor.read()).length, 0, `${name}: elements`);
    }
  }
});

const targetsOutOfRange = check('logitStats: targets out of range', async ({ ctx }, keep) => {
  const logits = normals(15, 5);
  const layout = layoutOf('logitStats', [3, 5]);
  const cases: [Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, number, number][] = [
    [Int32Array.of(0, -100, 2), 1, -100],
    [Int32Array.of(0, 1, 5), 2, 5],
    [Uint32Array.of(2 ** 32 - 1, 0, 9), 0, 2 ** 32 - 1],
  ];
  for (const [targets, row, value] of cases) {
    for (const topK of [undefined, 2]) {
      const of = { where: '', layout, logits, topK };
      const results = await runStats(ctx, keep, { ...of, targets });
      for (const [name, tensor] of Object.entries(results)) {
        const words = new RegExp(`^logitStats: .*row ${row} is ${value}, outside \\[0, 5\\)`);
        const error = await rejects(TargetOutOfRangeError, tensor.read(), name, words);
        equal(error.row, row, `${name}: the row`);
        equal(error.value, value, `${name}: the value`);
        assert(!error.message.includes('ignoreIndex'), `${name}: there is no ignoreIndex here`);
      }
      if (ctx.backend === 'cpu') continue;
      // What the kernels left there, past read().
      const mended = Int32Array.from(targets, (t) => (t >= 0 && t < 5 ? t : 0));
      const expected = await runStats(ctx, keep, { ...of, targets: mended });
      for (const [name, tensor] of Object.entries(results)) {
        const raw = ctx.fromBuffer(tensor.buffer as GPUBuffer, tensor.shape, { dtype: tensor.dtype });
        const [actual, right] = [await keep(raw).read(), await (expected[name] as Tensor).read()];
        right.forEach((expectedValue, i) => {
          const stray = name.startsWith('target') && (targets[i] as number) !== mended[i];
          const wanted = stray ? (name === 'targetRank' ? -1 : Number.NaN) : expectedValue;
          equal(actual[i], wanted, `${name}[${i}] of targets ${targets}, topK ${topK}`);
        });
      }
    }
  }
});

/** Tensors for the results of a plan, full of what they must not keep. */
function blanks(
  ctx: Context,
  keep: Keep,
  perRow: readonly number[],
  topK: number | undefined,
  targets: boolean,
) {
  const make = (dtype: 'f32' | 'i32', shape: readonly number[]): Tensor => {
    const length = shape.reduce((product, size) => product * size, 1);
    const data = dtype === 'f32' ? new Float32Array(length) : new Int32Array(length);
    return keep(ctx.tensor(data.fill(-77), shape));
  };
  return {
    logSumExp: make('f32', perRow),
    entropy: make('f32', perRow),
    argmax: make('i32', perRow),
    ...(targets ? { targetLogProb: make('f32', perRow), targetRank: make('i32', perRow) } : {}),
    ...(topK === undefined
      ? {}
      : { topKValues: make('f32', [...perRow, topK]), topKIndices: make('i32', [...perRow, topK]) }),
  };
}

function encodeOnce(ctx: Context, plan: OpPlan<LogitStatsBindings>, bindings: LogitStatsBindings): void {
  const encoder = ctx.device?.createCommandEncoder();
  plan.encode(encoder, bindings);
  if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
}

function planChecks(): Check[] {
  return [
    check('logitStats: a plan gives the bits of the op', async ({ ctx }, keep) => {
      for (const [shape, axis, topK, targets] of [
        [[3, 7], -1, undefined, undefined],
        [[3, 7], -1, 2, undefined],
        [[4, 8], -1, undefined, Int32Array.of(7, 0, 3, 1)],
        [[2, 33, 3], 1, 18, Uint32Array.of(32, 0, 5, 7, 1, 2)],
        [[5], 0, 5, Int32Array.of(2)],
      ] as const) {
        const layout = layoutOf('logitStats', shape, axis);
        const logits = normals(layout.rows * layout.classes, 6);
        const expected = await runStats(ctx, keep, {
          where: '',
          layout,
          logits,
          topK,
          targets: targets as never,
        });
        const plan = keep(
          await planLogitStats(ctx, {
            shape,
            axis,
            ...(topK === undefined ? {} : { topK }),
            ...(targets === undefined ? {} : { targets: true }),
            ...(targets instanceof Uint32Array ? { targetDtype: 'u32' } : {}),
          }),
        );
        const perRow = rowShape(layout);
        const results = blanks(ctx, keep, perRow, topK, targets !== undefined);
        equal(Object.keys(results).sort().join(), Object.keys(expected).sort().join(), 'the results');
        encodeOnce(ctx, plan, {
          logits: keep(ctx.tensor(logits, shape)),
          ...(targets === undefined ? {} : { targets: keep(ctx.tensor(targets, perRow)) }),
          ...results,
        });
        for (const [name, tensor] of Object.entries(results) as [string, Tensor][]) {
          sameBits(await tensor.read(), await (expected[name] as Tensor).read(), `${name} of [${shape}]`);
        }
      }
    }),
    gpuCheck('logitStats: a step of a plan creates and submits nothing', async (env, keep) => {
      const calls = new Calls();
      const ctx = keep(await contextOn(env, counting(calls)));
      const plan = keep(await planLogitStats(ctx, { shape: [3, 40], targets: true, topK: 18 }));
      const bindings = {
        logits: keep(ctx.tensor(normals(120, 7), [3, 40])),
        targets: keep(ctx.tensor(Int32Array.of(1, 2, 3), [3])),
        ...blanks(ctx, keep, [3], 18, true),
      };
      const step = (): void => {
        const encoder = (env.ctx.device as GPUDevice).createCommandEncoder();
        plan.encode(encoder, bindings);
        env.ctx.device?.queue.submit([encoder.finish()]);
      };
      step();
      const before = await bindings.logSumExp.read();
      calls.clear();
      for (let k = 0; k < 5; k++) step();
      equal(calls.toString(), 'nothing', 'what the next five steps asked of the device');
      sameBits(await bindings.logSumExp.read(), before, 'logSumExp of another step');
      bindings.targets.write(Int32Array.of(1, 40, 3));
      step();
      await rejects(TargetOutOfRangeError, bindings.argmax.read(), 'a bad target in a plan', /row 1 is 40/);
      bindings.targets.write(Int32Array.of(1, 2, 3));
      step();
      sameBits(await numbers(bindings.logSumExp), before, 'logSumExp once the targets are right again');
    }),
    check('logitStats: bindings that a plan refuses', async ({ ctx }, keep) => {
      const plan = keep(await planLogitStats(ctx, { shape: [3, 5], topK: 2 }));
      const good = {
        logits: keep(ctx.tensor(new Float32Array(15), [3, 5])),
        ...blanks(ctx, keep, [3], 2, false),
      };
      const encoder = ctx.device?.createCommandEncoder();
      const { topKIndices: _, ...without } = good;
      const floats = keep(ctx.tensor(new Float32Array(3), [3]));
      await refusesAll(InvalidArgumentError, 'throws', [
        ['no topKIndices', () => plan.encode(encoder, without), /topKIndices/],
        [
          'targets',
          () => plan.encode(encoder, { ...good, targets: good.argmax }),
          /no binding 'targets'.*logits/,
        ],
        ['argmax of f32', () => plan.encode(encoder, { ...good, argmax: floats }), /argmax.*i32|argmax.*f32/],
        [
          'topKValues [3]',
          () => plan.encode(encoder, { ...good, topKValues: floats }),
          /topKValues.*\[3, 2\]/,
        ],
        [
          'one tensor twice',
          () => plan.encode(encoder, { ...good, entropy: good.logSumExp }),
          /entropy|logSumExp/,
        ],
      ]);
      encoder?.finish();
    }),
  ];
}
