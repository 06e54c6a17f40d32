import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FloatDType } from '../../src/dtype.js';
import { LimitExceededError } from '../../src/errors.js';
import type { AdapterFacts } from '../../src/info.js';
import { logSumExpSpec } from '../../src/ops/logSumExp.js';
import { softmaxSpec } from '../../src/ops/softmax.js';
import type { Dispatch, RowPass } from '../../src/plan/pass.js';
import { makePlan, type Plan } from '../../src/plan/plan.js';
import type { Policy } from '../../src/plan/policy.js';
import { layoutOf } from '../../src/shape.js';
import type { Spec } from '../../src/spec.js';
import { factsWith as adapterWith } from './facts.js';

const ALIGNMENT = 256;

function factsWith(limits: Partial<AdapterFacts['limits']>): AdapterFacts {
  const facts = adapterWith();
  return { ...facts, limits: { ...facts.limits, minStorageBufferOffsetAlignment: ALIGNMENT, ...limits } };
}

function specOf(
  shape: readonly number[],
  axis?: number,
  { rowStride, dtype = 'f32' }: { rowStride?: number; dtype?: FloatDType } = {},
): Spec {
  const layout = layoutOf('test', shape, axis);
  return softmaxSpec(layout, { shape, dtype, access: 'in', ...(rowStride && { rowStride }) }, 1);
}

function dispatchesOf(plan: Plan): readonly Dispatch[] {
  return (plan.passes as readonly RowPass[])[0]?.dispatches ?? [];
}

/** Bytes of a binding that holds a chunk: blocks of `inner` rows `block` bytes apart, from an offset that is rounded down, in words. */
function bindingOf({ firstRow, rows }: Dispatch, inner: number, block: number): number {
  const start = (firstRow / inner) * block;
  return Math.ceil(((start % ALIGNMENT) + (rows / inner) * block) / 4) * 4;
}

test('chunks hold every row once, in order, and fit in a binding wherever they start', async () => {
  const strategies = fc.constantFrom('row-per-thread', 'row-per-workgroup', 'split-row');
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3000 }),
      fc.integer({ min: 1, max: 700 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 100_000 }),
      strategies,
      fc.constantFrom('f32', 'bf16'),
      async (outer, classes, inner, spare, strategy, dtype) => {
        const block = classes * inner * (dtype === 'f32' ? 4 : 2);
        // The handover of a split row, three words of statistic and three of record a row, has to fit whole.
        const limit = 4 * Math.ceil((Math.max(block + ALIGNMENT, outer * inner * 4 * 6) + spare) / 4);
        const facts = factsWith({ maxStorageBufferBindingSize: limit });
        const plan = await makePlan(specOf([outer, classes, inner], 1, { dtype }), facts, { strategy });
        for (const { dispatches } of plan.passes as readonly RowPass[]) {
          let next = 0;
          for (const dispatch of dispatches) {
            expect(dispatch.firstRow).toBe(next);
            expect(dispatch.rows).toBeGreaterThan(0);
            expect(dispatch.rows % inner).toBe(0);
            next += dispatch.rows;
          }
          expect(next).toBe(outer * inner);
        }
        for (const dispatch of dispatchesOf(plan)) {
          expect(bindingOf(dispatch, inner, block)).toBeLessThanOrEqual(limit);
        }
        // No chunk is smaller than it must be: another block of rows would not be sure to fit.
        const [first, second] = dispatchesOf(plan);
        if (first && second) {
          expect((first.rows / inner + 1) * block + ALIGNMENT).toBeGreaterThan(limit);
        }
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

test('padded rows count with their padding', async () => {
  const facts = factsWith({ maxStorageBufferBindingSize: 10_000 });
  const plan = await makePlan(specOf([10, 300], -1, { rowStride: 1000 }), facts, {});
  // 9,744 usable bytes: two rows of 4,000, though eight of 1,200.
  expect(dispatchesOf(plan).map(({ firstRow, rows }) => [firstRow, rows])).toEqual([
    [0, 2],
    [2, 2],
    [4, 2],
    [6, 2],
    [8, 2],
  ]);
});

test('rows that fit in one binding are one chunk', async () => {
  expect(dispatchesOf(await makePlan(specOf([1000, 33]), factsWith({}), {}))).toHaveLength(1);
});

test('grids hold all workgroups, and no more lines than they need', async () => {
  const facts = factsWith({ maxComputeWorkgroupsPerDimension: 100 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 10_000 }), async (rows) => {
      const policy: Partial<Policy> = { strategy: 'row-per-workgroup' };
      const [dispatch] = dispatchesOf(await makePlan(specOf([rows, 3]), facts, policy));
      const [width, height] = dispatch?.grid ?? [0, 0];
      expect(width).toBeLessThanOrEqual(100);
      expect(height).toBeLessThanOrEqual(100);
      expect(width * height).toBeGreaterThanOrEqual(rows);
      expect(width * (height - 1)).toBeLessThan(rows);
    }),
    { seed: 2, numRuns: 300 },
  );
  await expect(makePlan(specOf([10_001, 3]), facts, { strategy: 'row-per-workgroup' })).rejects.toThrow(
    LimitExceededError,
  );
});

test('one row that fits in no binding, and a vector that does not, are refused', async () => {
  const facts = factsWith({ maxStorageBufferBindingSize: 4096 });
  // 4,096 bytes are a binding, but leave no room for an offset that is not aligned.
  await expect(makePlan(specOf([5, 1024]), facts, {})).rejects.toThrow(LimitExceededError);
  await expect(makePlan(specOf([5, 960]), facts, {})).resolves.toBeDefined();
  await expect(makePlan(specOf([2, 100, 20], 1), facts, {})).rejects.toThrow(/interleaved/);
  const layout = layoutOf('test', [2000, 3]);
  const logits = { shape: layout.shape, dtype: 'f32', access: 'in' } as const;
  await expect(makePlan(logSumExpSpec(layout, logits, false), facts, {})).rejects.toThrow(LimitExceededError);
});
