// The same bits, whatever else is in the batch, however the rows are cut into dispatches and however lanes talk to each other.

import type { FloatDType } from '../../src/dtype.js';
import { type Context, type Policy, planSoftmax } from '../../src/index.js';
import { assert } from './assert.js';
import type { Check, Env } from './check.js';
import { contextOn, intercept } from './device.js';
import {
  type Batch,
  makeBatch,
  pickRows,
  runKept,
  runReduced,
  runRows,
  sameResults,
  sliceResults,
} from './everyOp.js';

/** A small workgroup, so that short rows have several segments. */
const SMALL_SPLIT: Partial<Policy> = { strategy: 'split-row', workgroupSize: 8, segment: 128 };

/** Each strategy, for rows so long that they are written in groups of four which they share, where the whole matrix has such. */
const SHARING: readonly Partial<Policy>[] = [
  { strategy: 'row-per-thread' },
  { strategy: 'row-per-workgroup', workgroupSize: 8, kept: false },
  SMALL_SPLIT,
];

export function determinismChecks(): Check[] {
  return [
    { name: 'determinism: run to run', run: runToRun },
    { name: 'determinism: with and without subgroups', run: withAndWithoutSubgroups },
    { name: 'determinism: four classes at a time, or one', run: withAndWithoutVec4 },
    { name: 'determinism: rows read twice, kept, and written several steps at a time', run: anyWriting },
    { name: 'determinism: a row alone, first, last and among 1,000', run: anyBatch },
    { name: 'determinism: rows in several dispatches', run: inChunks },
  ];
}

async function runToRun({ ctx }: Env): Promise<void> {
  for (const classes of [7, 1500, 16_500]) {
    const batch = makeBatch(classes > 1000 ? 5 : 500, classes, classes);
    const other = makeBatch(3, classes, classes + 1);
    const rows = await runRows(ctx, batch);
    const reduced = await runReduced(ctx, batch);
    await runRows(ctx, other);
    sameResults(await runRows(ctx, batch), rows, `${classes} classes, again`);
    sameResults(await runReduced(ctx, batch), reduced, `${classes} classes, again`);
  }
}

async function withAndWithoutSubgroups({ ctx }: Env): Promise<void> {
  const policies: Partial<Policy>[] = [
    { strategy: 'row-per-workgroup', workgroupSize: 64 },
    { strategy: 'row-per-workgroup', workgroupSize: 256 },
    { strategy: 'split-row', workgroupSize: 64, segment: 1024 },
  ];
  const batch = makeBatch(70, 3001, 5);
  for (const policy of policies) {
    const expected = await runReduced(ctx, batch, { ...policy, subgroups: false });
    const actual = await runReduced(ctx, batch, { ...policy, subgroups: true });
    sameResults(actual, expected, JSON.stringify(policy));
  }
}

async function withAndWithoutVec4({ ctx }: Env): Promise<void> {
  const batch = makeBatch(50, 1048, 6);
  for (const policy of [{ strategy: 'row-per-thread' }, SMALL_SPLIT] as Partial<Policy>[]) {
    const expected = await runRows(ctx, batch, { ...policy, vec4: false });
    const actual = await runRows(ctx, batch, { ...policy, vec4: true });
    sameResults(actual, expected, JSON.stringify(policy));
  }
  // Groups of four that neighbours share, one, two or three classes of them in each row.
  for (const [at, policy] of SHARING.entries()) {
    const shared = makeBatch(8, 1025 + at, at);
    for (const run of [runRows, runKept]) {
      const expected = await run(ctx, shared, { ...policy, vec4: false });
      const actual = await run(ctx, shared, { ...policy, vec4: true });
      sameResults(actual, expected, `${shared.classes} classes, ${JSON.stringify(policy)}`);
    }
  }
}

async function anyWriting({ ctx }: Env): Promise<void> {
  const plain = { unrolled: false, kept: false };
  const expect = async (run: typeof runKept, batch: Batch, policy: Partial<Policy>, way: Partial<Policy>) => {
    const expected = await run(ctx, batch, { ...policy, ...plain });
    const actual = await run(ctx, batch, { ...policy, ...plain, ...way });
    sameResults(actual, expected, JSON.stringify({ classes: batch.classes, ...policy, ...way }));
  };
  // 8 lanes write 32 classes in a step: eight steps at a time, a few steps, and what is left of one. They take in 128 in a step, a thread 16:
  // whole steps, what is left of one, and nothing.
  for (const classes of [353, 128, 384]) {
    for (const strategy of ['row-per-workgroup', 'row-per-thread'] as const) {
      for (const vec4 of [true, false]) {
        const policy = { strategy, workgroupSize: 8, vec4 };
        await expect(runKept, makeBatch(9, classes, 8), policy, { unrolled: true });
      }
    }
  }
  // Four, eight and sixteen groups of four logits in a lane; and more, for which there is no room.
  for (const classes of [33, 250, 508, 513]) {
    const batch = makeBatch(9, classes, 9);
    await expect(runKept, batch, { strategy: 'row-per-workgroup', workgroupSize: 8 }, { kept: true });
  }
  const halves = makeBatch(9, 250, 10, 'bf16');
  await expect(runKept, halves, { strategy: 'row-per-workgroup', workgroupSize: 8 }, { kept: true });
}

async function anyBatch({ ctx }: Env): Promise<void> {
  const count = 1000;
  const policies: Partial<Policy>[] = [
    { strategy: 'row-per-thread' },
    { strategy: 'row-per-workgroup', workgroupSize: 8 },
    SMALL_SPLIT,
  ];
  await inAnyPlace(ctx, makeBatch(count, 149, 7), policies);
  // Rows that share groups of four in a batch, and cannot alone.
  await inAnyPlace(ctx, makeBatch(100, 1027, 7), SHARING);
}

/** A row of the batch must not depend on its neighbours, nor on how many it has. */
async function inAnyPlace(ctx: Context, batch: Batch, policies: readonly Partial<Policy>[]): Promise<void> {
  const count = batch.rows;
  for (const policy of policies) {
    const all = await runRows(ctx, batch, policy);
    // Two in the middle of a workgroup or at its border, and the last.
    for (const r of [5, 64, count - 1]) {
      const expected = sliceResults(all, count, r, r + 1);
      const orders = { alone: [r], first: [r, 1, 2, 3], last: [9, 8, 7, 6, 4, r] };
      for (const [place, order] of Object.entries(orders)) {
        const results = await runRows(ctx, pickRows(batch, order), policy);
        const at = order.indexOf(r);
        const what = `row ${r} ${place}, ${JSON.stringify(policy)}`;
        sameResults(sliceResults(results, order.length, at, at + 1), expected, what);
      }
    }
  }
}

/**
 * The adapter is made to look small, so that few rows already take several dispatches with two-dimensional grids.
 * 37 classes: rows of 148 bytes, which no chunk but the first starts aligned.
 */
async function inChunks(env: Env): Promise<void> {
  // The CPU has no limits.
  if (env.ctx.device === undefined) return;
  const small = await contextOn(env, {
    limits: (own) =>
      intercept(own, {
        maxStorageBufferBindingSize: () => 20_000,
        maxComputeWorkgroupsPerDimension: () => 16,
      }),
  });
  try {
    const cases: readonly [number, Partial<Policy>, FloatDType?][] = [
      [37, { strategy: 'row-per-thread' }],
      [37, { strategy: 'row-per-workgroup', workgroupSize: 8 }],
      [150, SMALL_SPLIT],
      [148, SMALL_SPLIT],
      // Dispatches that begin in the middle of a word.
      [77, { strategy: 'row-per-thread' }, 'f16'],
      [77, { strategy: 'row-per-workgroup', workgroupSize: 8 }, 'bf16'],
      [251, SMALL_SPLIT, 'bf16'],
      // Groups of four that two dispatches of three rows share.
      [1301, { strategy: 'row-per-thread' }],
      [1302, { strategy: 'row-per-workgroup', workgroupSize: 8, kept: false }],
      [1303, { ...SMALL_SPLIT, segment: 1024 }],
    ];
    for (const [classes, policy, dtype] of cases) {
      const rows = 200;
      const batch = makeBatch(rows, classes, classes, dtype);
      const what = `[${rows}, ${classes}] ${dtype ?? 'f32'} ${JSON.stringify(policy)}`;
      const before = await dispatchesOf(env.ctx, [rows, classes], policy, dtype);
      const after = await dispatchesOf(small, [rows, classes], policy, dtype);
      assert(after > before, `${what}: ${after} dispatches on the small adapter, ${before} on the real one`);
      sameResults(await runRows(small, batch, policy), await runRows(env.ctx, batch, policy), what);
      sameResults(await runReduced(small, batch, policy), await runReduced(env.ctx, batch, policy), what);
    }
  } finally {
    small.destroy();
  }
}

async function dispatchesOf(
  ctx: Context,
  shape: readonly number[],
  policy: Partial<Policy>,
  dtype: FloatDType = 'f32',
): Promise<number> {
  const plan = await planSoftmax(ctx, { shape, policy, dtype });
  const count = plan.passes.reduce((sum, { grids }) => sum + grids.length, 0);
  plan.destroy();
  return count;
}
