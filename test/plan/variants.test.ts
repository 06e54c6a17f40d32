import { expect, test } from 'vitest';
import type { DType } from '../../src/dtype.js';
import { composeShader } from '../../src/gpu/shader.js';
import { createContext, type KlTarget, planCrossEntropy } from '../../src/index.js';
import { type BinaryCrossEntropySettings, binaryCrossEntropySpec } from '../../src/ops/binaryCrossEntropy.js';
import { crossEntropySpec } from '../../src/ops/crossEntropySpec.js';
import { entropySpec } from '../../src/ops/entropy.js';
import { logSoftmaxGradSpec, logSumExpGradSpec, softmaxGradSpec } from '../../src/ops/grad.js';
import { klDivergenceSpec } from '../../src/ops/klDivergenceSpec.js';
import { logitStatsSpec } from '../../src/ops/logitStats.js';
import { logSumExpSpec } from '../../src/ops/logSumExp.js';
import { nllLossSpec } from '../../src/ops/nllLoss.js';
import { logSoftmaxSpec, softmaxSpec } from '../../src/ops/softmax.js';
import type { RowPass } from '../../src/plan/pass.js';
import { makePlan, type Plan } from '../../src/plan/plan.js';
import { type Policy, STRATEGIES } from '../../src/plan/policy.js';
import { keyOf, variantKey } from '../../src/plan/variant.js';
import { type Layout, layoutOf, rowShape } from '../../src/shape.js';
import type { Role, Spec } from '../../src/spec.js';
import { factsWith } from './facts.js';

const facts = factsWith();

/** Plans of every strategy, access, reduction and of several shapes. */
async function plans(): Promise<Plan[]> {
  const made: Plan[] = [];
  for (const [shape, axis] of [
    [[3, 5], -1],
    [[4, 8], -1],
    [[3, 64], -1],
    [[2, 5, 3], 1],
    [[2, 20_000], -1],
    [[4, 1027], -1],
  ] as const) {
    const layout = layoutOf('test', shape, axis);
    const specs = (['f32', 'f16', 'bf16'] as const).flatMap((dtype) => {
      const logits = { shape, dtype, access: 'in' } as const;
      const perRow = { shape: rowShape(layout), dtype: 'f32', access: 'in' } as const;
      return [
        softmaxSpec(layout, logits, 1),
        logSoftmaxSpec(layout, logits, 1),
        logSumExpSpec(layout, logits, false),
        softmaxGradSpec(layout, logits, logits),
        logSoftmaxGradSpec(layout, logits, logits),
        logSumExpGradSpec(layout, logits, perRow, perRow),
        entropySpec({ layout, logits, gradOutput: perRow, reduction: 'none', grad: true }),
        entropySpec({ layout, logits, gradOutput: 1, reduction: 'mean', grad: false }),
        nllLossSpec({
          layout,
          logProbs: logits,
          targets: { ...perRow, dtype: 'i32' },
          weight: undefined,
          gradOutput: 1,
          ignoreIndex: -100,
          reduction: 'mean',
          grad: true,
        }),
        ...(['logits', 'probs', 'logProbs'] as const).map((kind) => divergence(layout, kind, dtype)),
        ...[undefined, 1, 2, 3].map((topK) => logitStatsSpec({ layout, logits, targets: undefined, topK })),
        spread({ ...perRow, dtype: 'i32' }, layout, dtype),
        spread(logits, layout, dtype),
        binaryCrossEntropySpec({ ...binary(shape, dtype), reduction: 'none' }),
        binaryCrossEntropySpec({ ...binary(shape, dtype), reduction: 'mean' }),
      ];
    });
    for (const spec of specs) {
      for (const strategy of STRATEGIES) {
        for (const workgroupSize of [32, 64]) {
          for (const subgroups of [true, false]) {
            made.push(await makePlan(spec, facts, { strategy, workgroupSize, subgroups, apart: true }));
          }
        }
      }
    }
  }
  return made;
}

/** A cross-entropy whose targets are spread over the classes. */
function spread(targets: Role, layout: Layout, dtype: DType): Spec {
  return crossEntropySpec({
    layout,
    targets,
    labelSmoothing: 0.1,
    logits: { shape: layout.shape, dtype, access: 'in' },
    weight: undefined,
    ignoreIndex: -100,
    temperature: 1,
    softcap: undefined,
    zLoss: 0,
    reduction: 'none',
    grad: true,
    gradOutput: 1,
    gradTargets: false,
    returnLogSumExp: false,
  });
}

/** A binary cross-entropy with gradients, but for its reduction. */
function binary(shape: readonly number[], dtype: DType): Omit<BinaryCrossEntropySettings, 'reduction'> {
  const matrix = { shape, dtype, access: 'in' } as const;
  return {
    layout: layoutOf('test', shape),
    logits: matrix,
    targets: matrix,
    weight: undefined,
    posWeight: undefined,
    gradOutput: 1,
    grad: true,
    gradTargets: true,
  };
}

/** A divergence with all that it can have. */
function divergence(layout: Layout, kind: KlTarget, dtype: DType): Spec {
  const matrix = { shape: layout.shape, dtype, access: 'in' } as const;
  return klDivergenceSpec({
    layout,
    kind,
    logits: matrix,
    target: matrix,
    temperature: 2,
    scaleByTemperatureSquared: true,
    reduction: 'mean',
    grad: true,
    gradOutput: { shape: [], dtype: 'f32', access: 'in', broadcast: true },
  });
}

function rowPasses({ passes }: Plan): readonly RowPass[] {
  return passes as readonly RowPass[];
}

test('one key, one shader: a cached pipeline is never another one', async () => {
  const texts = new Map<string, string>();
  const keys = new Map<string, string>();
  for (const passes of (await plans()).map(rowPasses)) {
    for (const { variant } of passes) {
      const [key, text] = [variantKey(variant), await composeShader(variant)];
      expect(texts.get(key) ?? text, key).toBe(text);
      // Nor is a shader compiled twice under two names.
      expect(keys.get(text) ?? key).toBe(key);
      texts.set(key, text);
      keys.set(text, key);
    }
  }
  expect(texts.size).toBeGreaterThan(30);
});

test('shaders ask for subgroups only where they use them', async () => {
  for (const passes of (await plans()).map(rowPasses)) {
    for (const { variant } of passes) {
      expect((await composeShader(variant)).includes('enable subgroups;')).toBe(variant.subgroup > 0);
    }
  }
});

test('no shader asks for the size of a buffer, which may be larger than its tensor', async () => {
  for (const passes of (await plans()).map(rowPasses)) {
    for (const { variant } of passes) expect(await composeShader(variant)).not.toMatch(/arrayLength/);
  }
});

test('a shader does not depend on the number of rows or classes beyond its accesses and whether rows are whole', async () => {
  const keysOf = async (rows: number, classes: number) => {
    const shape = [rows, classes];
    const spec = softmaxSpec(layoutOf('test', shape), { shape, dtype: 'f32', access: 'in' }, 1);
    const { passes } = await makePlan(spec, facts, {
      strategy: 'row-per-workgroup',
      workgroupSize: 64,
      kept: false,
    });
    return passes.map(({ variant }) => keyOf(variant));
  };
  expect(await keysOf(1, 5)).toEqual(await keysOf(1000, 333));
  expect(await keysOf(1, 8)).toEqual(await keysOf(1000, 512));
  expect(await keysOf(1, 8)).not.toEqual(await keysOf(1, 9));
  expect(await keysOf(1, 8192)).toEqual(await keysOf(1000, 10240));
  expect(await keysOf(1, 8)).not.toEqual(await keysOf(1, 8192));
});

test('nothing is read behind the end of a row only where rows are whole numbers of steps', async () => {
  const wholeOf = async (classes: number, wishes: Partial<Policy>): Promise<boolean[]> => {
    const shape = [3, classes];
    const spec = softmaxSpec(layoutOf('test', shape), { shape, dtype: 'f32', access: 'in' }, 1);
    const policy = { workgroupSize: 64, segment: 1024, kept: false, ...wishes };
    const { passes } = await makePlan(spec, facts, policy);
    return (passes as readonly RowPass[]).map(({ variant }) => variant.flags.WHOLE);
  };
  expect(await wholeOf(48, { strategy: 'row-per-thread' })).toEqual([true]);
  expect(await wholeOf(52, { strategy: 'row-per-thread' })).toEqual([false]);
  expect(await wholeOf(2048, { strategy: 'row-per-workgroup' })).toEqual([true]);
  expect(await wholeOf(2048 + 16, { strategy: 'row-per-workgroup' })).toEqual([false]);
  // Kept in registers: 4 groups of four in each of 64 lanes, or 8.
  expect(await wholeOf(1024, { strategy: 'row-per-workgroup', kept: true })).toEqual([true]);
  expect(await wholeOf(2048, { strategy: 'row-per-workgroup', kept: true })).toEqual([true]);
  expect(await wholeOf(1024 + 512, { strategy: 'row-per-workgroup', kept: true })).toEqual([false]);
  // The last pass writes, and goes nowhere beyond the end; the second reads no logits.
  expect(await wholeOf(3072, { strategy: 'split-row' })).toEqual([true, false, true]);
  expect(await wholeOf(3072 + 4, { strategy: 'split-row' })).toEqual([false, false, true]);
  // Not in groups of four: each class by itself.
  expect(await wholeOf(3072, { strategy: 'row-per-workgroup', vec4: false })).toEqual([false]);
});

test('long rows of single classes are read without a look at their end where each lane has a whole step', async () => {
  const longOf = async (
    classes: number,
    wishes: Partial<Policy>,
    dtype: DType = 'f32',
  ): Promise<boolean[]> => {
    const shape = [3, classes];
    const spec = softmaxSpec(layoutOf('test', shape), { shape, dtype, access: 'in' }, 1);
    const policy = { workgroupSize: 64, segment: 1024, kept: false, unrolled: true, ...wishes };
    const { passes } = await makePlan(spec, facts, policy);
    return (passes as readonly RowPass[]).map(({ variant }) => variant.long);
  };
  expect(await longOf(17, { strategy: 'row-per-thread' })).toEqual([true]);
  expect(await longOf(15, { strategy: 'row-per-thread' })).toEqual([false]);
  expect(await longOf(1025, { strategy: 'row-per-workgroup' })).toEqual([true]);
  expect(await longOf(1023, { strategy: 'row-per-workgroup' })).toEqual([false]);
  expect(await longOf(1027, { strategy: 'row-per-workgroup', kept: true })).toEqual([false]);
  // The last segment may be shorter than a step, and the other kernels read no row.
  expect(await longOf(3073, { strategy: 'split-row' })).toEqual([false, false, false]);
  expect(await longOf(1028, { strategy: 'row-per-workgroup' })).toEqual([false]);
  expect(await longOf(1025, { strategy: 'row-per-workgroup' }, 'f16')).toEqual([false]);
  expect(await longOf(1025, { strategy: 'row-per-workgroup', unrolled: false })).toEqual([false]);
  // Also where nothing is written for each class.
  const shape = [3, 1025];
  const lse = logSumExpSpec(layoutOf('test', shape), { shape, dtype: 'f32', access: 'in' }, false);
  const { passes } = await makePlan(lse, facts, { strategy: 'row-per-thread', unrolled: true });
  expect((passes as readonly RowPass[]).map(({ variant }) => variant.long)).toEqual([true]);
});

test('elements are written in groups of four that rows share where odd elements are told apart by rows', async () => {
  const shape = [4, 1027];
  const layout = layoutOf('test', shape);
  const matrix = { shape, dtype: 'f32', access: 'in' } as const;
  const perRow = { ...matrix, shape: rowShape(layout) };
  const kernelsOf = async (spec: Spec, wishes: Partial<Policy> = {}): Promise<string> => {
    const { passes } = await makePlan(spec, factsWith({ isFallbackAdapter: true }), wishes);
    return (passes as readonly RowPass[])
      .filter(({ classes }) => classes === 1027)
      .map(({ variant }) => variant.kernel)
      .join(' ');
  };
  const sharing = {
    softmax: softmaxSpec(layout, matrix, 1),
    logSoftmax: logSoftmaxSpec(layout, matrix, 1),
    softmaxGrad: softmaxGradSpec(layout, matrix, matrix),
    logSoftmaxGrad: logSoftmaxGradSpec(layout, matrix, matrix),
    entropy: entropySpec({ layout, logits: matrix, gradOutput: 1, reduction: 'none', grad: true }),
    crossEntropy: spread({ ...perRow, dtype: 'i32' }, layout, 'f32'),
  };
  for (const [name, spec] of Object.entries(sharing)) {
    expect(await kernelsOf(spec), name).toBe('row-per-thread-apart map-straddling');
    const split = { strategy: 'split-row', segment: 1024, workgroupSize: 8 } as const;
    expect(await kernelsOf(spec, split), name).toBe('split-partial split-finish map-straddling');
    expect(await kernelsOf(spec, { apart: false }), name).toBe('row-per-thread');
    expect(await kernelsOf(spec, { vec4: false }), name).toBe('row-per-thread');
  }
  expect(await kernelsOf(divergence(layout, 'logits', 'f32'))).toMatch(
    /row-per-thread-apart map-straddling$/,
  );
  expect(await kernelsOf(logSumExpGradSpec(layout, matrix, perRow, perRow))).toBe('map-straddling');
  // Kept in registers, the row is read once.
  const workgroups = { strategy: 'row-per-workgroup', workgroupSize: 64 } as const;
  expect(await kernelsOf(sharing.softmax, { ...workgroups, kept: true })).toBe('row-per-workgroup');
  expect(await kernelsOf(sharing.entropy, { ...workgroups, kept: true })).toBe(
    'row-per-workgroup-apart map-straddling',
  );
  // Told apart by groups of four.
  expect(await kernelsOf(spread(matrix, layout, 'f32'))).toBe('row-per-thread');
  expect(await kernelsOf(divergence(layout, 'probs', 'f32'))).not.toContain('map');
  // Nothing is written for each element.
  expect(await kernelsOf(logSumExpSpec(layout, matrix, false))).toBe('row-per-thread');
});

test('scratch buffers have room for every row, and none is shared by two passes that run at once', async () => {
  for (const plan of await plans()) {
    const sum = [...plan.scratch.values()].reduce((total, bytes) => total + bytes, 0);
    expect(plan.scratchBytes).toBe(sum);
    for (const pass of rowPasses(plan)) {
      const names = Object.values(pass.sources).map(({ from }) => from);
      expect(new Set(names).size, variantKey(pass.variant)).toBe(names.length);
      for (const { from, scratch, elements } of Object.values(pass.sources)) {
        if (scratch) expect(plan.scratch.get(from)).toBeGreaterThanOrEqual(elements * 4);
      }
    }
  }
});

test('on the CPU a plan has no passes and holds nothing', async () => {
  const ctx = await createContext({ backend: 'cpu' });
  const plan = await planCrossEntropy(ctx, { shape: [2, 3], targets: 'index', grad: true });
  expect(plan.passes).toEqual([]);
  expect(plan.scratchBytes).toBe(0);
  ctx.destroy();
});

test('no kernel of a loss with every result binds more storage buffers than WebGPU guarantees', async () => {
  const layout = layoutOf('test', [2, 40_000]);
  const input = (shape: readonly number[], dtype: DType = 'f32'): Role => ({ shape, dtype, access: 'in' });
  for (const targets of [input([2], 'i32'), input(layout.shape)]) {
    for (const labelSmoothing of [0, 0.1]) {
      for (const strategy of STRATEGIES) {
        const spec = crossEntropySpec({
          layout,
          targets,
          labelSmoothing,
          logits: input(layout.shape),
          weight: input([40_000]),
          ignoreIndex: -100,
          temperature: 2,
          softcap: 30,
          zLoss: 1e-4,
          reduction: 'mean',
          grad: true,
          gradOutput: { ...input([]), broadcast: true },
          gradTargets: targets.dtype === 'f32',
          returnLogSumExp: true,
        });
        // The plan itself refuses more than the limit of its adapter, which here is the least there is: 8.
        const { passes } = await makePlan(spec, facts, { strategy });
        expect(Math.max(...passes.map(({ variant }) => variant.bindings.length))).toBeLessThanOrEqual(8);
      }
    }
  }
  for (const strategy of STRATEGIES) {
    const { passes } = await makePlan(divergence(layout, 'logits', 'f32'), facts, { strategy });
    expect(Math.max(...passes.map(({ variant }) => variant.bindings.length))).toBeLessThanOrEqual(8);
  }
});

test('no kernel of logitStats binds more storage buffers than WebGPU guarantees', async () => {
  const layout = layoutOf('test', [2, 40_000]);
  const logits = { shape: layout.shape, dtype: 'f32', access: 'in' } as const;
  for (const targets of [undefined, { shape: [2], dtype: 'i32', access: 'in' } as const]) {
    for (const topK of [undefined, 3, 16, 17, 100]) {
      for (const strategy of STRATEGIES) {
        const passes = rowPasses(
          await makePlan(logitStatsSpec({ layout, logits, targets, topK }), facts, { strategy }),
        );
        expect(Math.max(...passes.map(({ variant }) => variant.bindings.length))).toBeLessThanOrEqual(8);
        // One pass over the logits for each 16 of the list.
        const reads = passes.filter(({ variant }) =>
          variant.bindings.some(({ role }) => role === 'logits' && variant.kernel !== 'split-finish'),
        );
        expect(reads).toHaveLength(Math.ceil((topK ?? 1) / 16));
      }
    }
  }
});
