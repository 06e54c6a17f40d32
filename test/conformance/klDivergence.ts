// What a divergence is: never below 0, exactly 0 for equal rows, exact where it is small, and what is left of a cross-entropy without
// the entropy. And its plan.

import { kernelFacts } from '../../src/cli/doctor/kernel.js';
import * as cpu from '../../src/cpu.js';
import {
  crossEntropy,
  entropy,
  type KlBindings,
  klDivergence,
  type OpPlan,
  type PlanKlDivergenceOptions,
  type Policy,
  planKlDivergence,
  softmax,
  type Tensor,
} from '../../src/index.js';
import { layoutOf } from '../../src/shape.js';
import {
  denseLossBound,
  denseTarget,
  entropyFacts,
  probabilityBound,
  surpriseBound,
} from '../support/bounds.js';
import { klLogitsFacts } from '../support/klBounds.js';
import { assert, check, equal, type Keep, sameBits } from './assert.js';
import type { Check, Env } from './check.js';
import { hardLogits, normals, random } from './data.js';
import { checkKlDivergence, type KlChoices, klBounds } from './klChecks.js';
import { CaseRows } from './rows.js';
import { comparable, numbers, withTensors } from './tensors.js';

export function klDivergenceChecks(): Check[] {
  return [
    { name: 'klDivergence: 0 for equal rows, to the bit', run: equalRows },
    { name: 'klDivergence: never below 0, whatever the bits', run: neverNegative },
    { name: 'klDivergence: small ones keep their digits', run: smallOnes },
    { name: 'klDivergence: cross-entropy is entropy and divergence', run: identity },
    { name: 'klDivergence: logits over a temperature beyond the range of floats', run: hugeOverTemperature },
    ...planChecks(),
  ];
}

const POLICIES: readonly Partial<Policy>[] = [
  { strategy: 'row-per-thread', workgroupSize: 64 },
  { strategy: 'row-per-workgroup', workgroupSize: 64 },
  { strategy: 'split-row', workgroupSize: 64, segment: 1024 },
];

/** Divergence, gradient and the teacher's gradient of each row. */
function fromLogits(
  { ctx }: Env,
  student: Float32Array<ArrayBuffer>,
  teacher: Float32Array<ArrayBuffer>,
  shape: readonly number[],
  options: { readonly temperature?: number; readonly policy?: Partial<Policy> } = {},
): Promise<readonly [Float32Array, Float32Array, Float32Array]> {
  return withTensors(async (keep) => {
    const result = await klDivergence(keep(ctx.tensor(student, shape)), keep(ctx.tensor(teacher, shape)), {
      ...options,
      target: 'logits',
      reduction: 'none',
      grad: true,
    });
    const { divergence, grad, gradTarget } = result as Required<typeof result>;
    const made = [keep(divergence), keep(grad), keep(gradTarget)] as const;
    return [await numbers(made[0]), await numbers(made[1]), await numbers(made[2])];
  });
}

async function equalRows(env: Env): Promise<void> {
  for (const policy of POLICIES) {
    for (const temperature of policy.strategy === 'row-per-workgroup' ? [1, 2.5] : [1]) {
      const [rows, classes] = [24, 1500];
      const logits = hardLogits(rows, classes, { seed: 3 });
      // Also at the end of the range.
      logits.set([3.4e38, -3.4e38, 3e38, 0, -1e38], 0);
      const results = await fromLogits(env, logits, logits.slice(), [rows, classes], { temperature, policy });
      for (const [k, values] of results.entries()) {
        const at = values.findIndex((value) => value !== 0);
        const what = ['divergence', 'gradient', 'gradient of the teacher'][k];
        assert(at < 0, `${policy.strategy}, T ${temperature}: the ${what}[${at}] is ${values[at]}, not 0`);
      }
    }
  }
}

/** Random bit patterns as logits: NaN where there is no distribution, and otherwise at least 0. */
async function neverNegative(env: Env): Promise<void> {
  const next = random(17);
  const [rows, classes] = [4000, 6];
  const bits = (): Float32Array<ArrayBuffer> => {
    const words = Uint32Array.from({ length: rows * classes }, () => Math.floor(next() * 2 ** 32));
    const values = new Float32Array(words.buffer);
    // Every other row is of a size at which classes compete.
    return values.map((value, i) => (Math.floor(i / classes) % 2 === 0 ? value : 12 * next() - 6));
  };
  const [student, teacher] = [bits(), bits()];
  const hasSoftmax = (values: Float32Array, r: number): boolean => {
    const row = values.subarray(r * classes, (r + 1) * classes);
    return !row.some((x) => Number.isNaN(x) || x === Number.POSITIVE_INFINITY) && row.some(Number.isFinite);
  };
  for (const temperature of [1, 0.25]) {
    const [divergence] = await fromLogits(env, student, teacher, [rows, classes], { temperature });
    divergence.forEach((value, r) => {
      const isGood = hasSoftmax(student, r) && hasSoftmax(teacher, r);
      assert(isGood ? value >= 0 : Number.isNaN(value), `row ${r}, T ${temperature}: ${value}`);
    });
  }
  // Rows that agree but for last bits, so that only the rounding of log S may tell them apart.
  const count = 60_000;
  const near = Float32Array.from({ length: 5 * count }, () => 1e-4 * (next() - 0.5));
  const words = Uint32Array.from(new Uint32Array(near.buffer), (word) => word + Math.floor(2 * next()));
  const [divergence] = await fromLogits(env, near, new Float32Array(words.buffer), [count, 5]);
  divergence.forEach((value, r) => {
    assert(value >= 0 && value < 1e-20, `row ${r}, nearly equal: ${value}`);
  });
}

/** Student and teacher a little apart: the exact divergence to a thousandth, though a float32 log-sum-exp has no such digits. */
async function smallOnes(env: Env): Promise<void> {
  for (const policy of POLICIES) {
    for (const classes of [30, 1000]) {
      const shape = [12, classes];
      const count = 12 * classes;
      const teacher = normals(count, 5).map((x, i) => x + 16 * (Math.floor(i / classes) % 3));
      const noise = normals(count, 6);
      const student = teacher.map((x, i) => x + 1e-5 * (noise[i] as number));
      const layout = layoutOf('klDivergence', shape);
      const choices: KlChoices = { target: 'logits', reduction: 'none' };
      const of = { where: 'small ones', layout, logits: student, target: teacher, choices, policy };
      await checkKlDivergence(env, of);
      const bounds = klBounds(env, of);
      const exact = cpu.klDivergence(student, teacher, shape, choices).divergence;
      exact.forEach((value, r) => {
        assert(
          value > 1e-13 && value < 1e-8,
          `row ${r} has a divergence of ${value}, which is not the point`,
        );
        const ratio = bounds.divergence(r) / value;
        assert(
          ratio < 1e-3,
          `row ${r}: a bound of ${ratio} of the divergence ${value} says nothing of its digits`,
        );
      });
    }
  }
}

/** H(q, p) = H(q) + D(q || p), each of them from its own operation. */
async function identity(env: Env): Promise<void> {
  const [rows, classes] = [24, 300];
  const shape = [rows, classes];
  const logits = hardLogits(rows, classes, { seed: 8 });
  const teacher = normals(rows * classes, 9).map((x) => 2 * x);
  await withTensors(async (keep) => {
    const x = keep(env.ctx.tensor(logits, shape));
    const y = keep(env.ctx.tensor(teacher, shape));
    const q = keep(await softmax(y));
    const none = { reduction: 'none' } as const;
    const h = await numbers(keep((await entropy(y, none)).entropy));
    const d = await numbers(keep((await klDivergence(x, y, { ...none, target: 'logits' })).divergence));
    const both = await numbers(keep((await crossEntropy(x, q, none)).loss));
    const kernel = kernelFacts(env.ctx, 1);
    const layout = layoutOf('klDivergence', shape);
    const students = new CaseRows(layout, logits, {}, kernel);
    const teachers = new CaseRows(layout, teacher, {}, kernel);
    both.forEach((loss, r) => {
      const [student, given] = [students.row(r), teachers.row(r)];
      // The probabilities of the cross-entropy are rounded, and off themselves.
      let fromProbs = 0;
      given.probs.forEach((_, j) => {
        const surprise = student.stats.max - (logits[r * classes + j] as number) + student.stats.logSum;
        if (Number.isFinite(surprise))
          fromProbs += probabilityBound(given, j) * (surprise + surpriseBound(student, j));
      });
      const facts = klLogitsFacts(student, given);
      const bound =
        entropyFacts(given).error +
        facts.divergence.error +
        denseLossBound(student, denseTarget(given.probs)) +
        fromProbs;
      const sum = (h[r] as number) + (d[r] as number);
      env.ledger.check('entropy and divergence', sum, loss, bound, `row ${r}`);
    });
  });
}

/** At a temperature below 1, u_j may pass the largest float where q_j u_j does not. */
async function hugeOverTemperature(env: Env): Promise<void> {
  const layout = layoutOf('klDivergence', [2, 4]);
  const logits = Float32Array.of(3e38, -3e38, 0, 1, 3e38, 3e38, -3e38, -3e38);
  const targets: Readonly<Record<KlChoices['target'], readonly number[]>> = {
    logits: [0, -12, -12.5, -200, 0, 0.5, -13, -300],
    probs: [1, 1e-10, 0, 0, 0.5, 0.5, 1e-11, 0],
    logProbs: [0, -23, -100, -90, -1, -0.5, -24, -100],
  };
  for (const [target, values] of Object.entries(targets)) {
    const choices: KlChoices = { target: target as KlChoices['target'], temperature: 0.5, reduction: 'none' };
    await checkKlDivergence(env, {
      where: target,
      layout,
      logits,
      target: Float32Array.from(values),
      choices,
    });
  }
}

// ---- plans

interface PlanCase {
  readonly name: string;
  readonly shape: readonly number[];
  readonly gradOutput?: number | Float32Array<ArrayBuffer>;
  readonly options: Omit<PlanKlDivergenceOptions, 'shape' | 'gradOutput' | 'policy'>;
}

const PLANS: readonly PlanCase[] = [
  { name: 'mean', shape: [3, 5], options: { target: 'logits' } },
  {
    name: 'both gradients, at a temperature',
    shape: [3, 8],
    gradOutput: 3,
    options: { target: 'logits', temperature: 2, scaleByTemperatureSquared: true, grad: true },
  },
  {
    name: 'none, one gradOutput a row',
    shape: [3, 40],
    gradOutput: Float32Array.of(1, -2, 0.5),
    options: { target: 'logits', reduction: 'none', grad: true },
  },
  {
    name: 'probabilities, another axis, gradOutput in a tensor',
    shape: [2, 5, 3],
    gradOutput: Float32Array.of(-1.5),
    options: { target: 'probs', axis: 1, reduction: 'sum', grad: true },
  },
  {
    name: 'log-probabilities',
    shape: [4, 8],
    options: { target: 'logProbs', reduction: 'none', grad: true },
  },
];

/** A target of any kind. */
function targetOf(kind: KlChoices['target'], count: number): Float32Array<ArrayBuffer> {
  const values = normals(count, 23);
  if (kind === 'logits') return values;
  return values.map((x) => (kind === 'probs' ? Math.abs(x) : -Math.abs(x)));
}

function planChecks(): Check[] {
  return PLANS.map((of) =>
    check(`plans: klDivergence, the bits of the op: ${of.name}`, async ({ ctx }, keep) => {
      const { shape, gradOutput, options } = of;
      const count = shape.reduce((product, size) => product * size, 1);
      const x = keep(ctx.tensor(normals(count, 22), shape));
      const y = keep(ctx.tensor(targetOf(options.target, count), shape));
      const upstream = upstreamTensor(ctx.tensor.bind(ctx), keep, of);
      const expected = await klDivergence(x, y, {
        ...options,
        ...(gradOutput === undefined ? {} : { gradOutput: upstream ?? gradOutput }),
      });
      const plan: OpPlan<KlBindings> = keep(
        await planKlDivergence(ctx, {
          ...options,
          shape,
          ...(upstream ? { gradOutput: options.reduction === 'none' ? 'rows' : 'scalar' } : {}),
          ...(typeof gradOutput === 'number' ? { gradOutput } : {}),
        }),
      );
      const results: Record<string, Tensor> = {};
      for (const [name, tensor] of Object.entries(expected) as [string, Tensor][]) {
        keep(tensor);
        const size = tensor.shape.reduce((product, each) => product * each, 1);
        results[name] = keep(ctx.tensor(new Float32Array(size).fill(Number.NaN), tensor.shape));
      }
      equal(Object.keys(expected).length, options.grad === true ? 3 : 1, 'results of the op');
      const bindings = { logits: x, target: y, ...results, ...(upstream ? { gradOutput: upstream } : {}) };
      const encoder = ctx.device?.createCommandEncoder();
      plan.encode(encoder, bindings as unknown as KlBindings);
      if (encoder !== undefined) ctx.device?.queue.submit([encoder.finish()]);
      for (const [name, tensor] of Object.entries(expected) as [string, Tensor][]) {
        sameBits(await comparable(results[name] as Tensor), await comparable(tensor), name);
      }
    }),
  );
}

function upstreamTensor(
  make: (data: Float32Array<ArrayBuffer>, shape: readonly number[]) => Tensor,
  keep: Keep,
  { gradOutput, options }: PlanCase,
): Tensor | undefined {
  if (typeof gradOutput !== 'object') return undefined;
  return keep(make(gradOutput, options.reduction === 'none' ? [gradOutput.length] : []));
}
