// docs/losses.md compared with the code: special rows, orders of options, bounds, bytes.
import { describe, expect, test } from 'vitest';
import { openGpu } from '../../scripts/adapters.js';
import * as library from '../../src/index.js';
import { type Context, createContext, type OpPlan, type Tensor } from '../../src/index.js';
import * as bounds from '../support/bounds.js';
import { fakeDevice } from '../support/fakeDevice.js';
import { optionsOf } from './calls.js';
import { quoted, readMarkdown, tablesOf } from './markdown.js';
import { format, numbers, optionsIn } from './rows.js';

const document = readMarkdown('docs/losses.md');

/** What a row of a table of special rows holds: from the cells of its inputs to those of its results. */
type Fill = (ctx: Context, ...inputs: string[]) => Promise<readonly (Tensor | undefined)[]>;

function row(ctx: Context, cell: string): Tensor {
  const values = numbers(cell);
  return ctx.tensor(values, [1, values.length]);
}

/** The options of a cell, with arrays as typed arrays. */
function withArrays(cell: string): object {
  return Object.fromEntries(
    Object.entries(optionsIn(cell)).map(([name, value]) => [
      name,
      Array.isArray(value) ? Float32Array.from(value) : value,
    ]),
  );
}

const common = { reduction: 'none', grad: true } as const;

const fills: Readonly<Record<string, Fill>> = {
  async softmax(ctx, x) {
    const logits = row(ctx, x);
    const ops = [library.softmax, library.logSoftmax, library.logSumExp] as const;
    return Promise.all(ops.map((op) => op(logits)));
  },
  async softmaxGrad(ctx, p, g) {
    return [await library.softmaxGrad(row(ctx, p), row(ctx, g))];
  },
  async logSoftmaxGrad(ctx, y, g) {
    return [await library.logSoftmaxGrad(row(ctx, y), row(ctx, g))];
  },
  async logSumExpGrad(ctx, x, lse, g) {
    return [await library.logSumExpGrad(row(ctx, x), numbers(lse), numbers(g))];
  },
  async crossEntropy(ctx, x, target, options) {
    const targets = target.startsWith('[') ? row(ctx, target.slice(1, -1)) : Int32Array.from(numbers(target));
    const { loss, grad } = await library.crossEntropy(row(ctx, x), targets, {
      ...common,
      ...withArrays(options),
    });
    return [loss, grad];
  },
  async nllLoss(ctx, y, target, options) {
    const targets = Int32Array.from(numbers(target));
    const { loss, grad } = await library.nllLoss(row(ctx, y), targets, { ...common, ...withArrays(options) });
    return [loss, grad];
  },
  async binaryCrossEntropy(ctx, x, targets) {
    const { loss, grad, gradTargets } = await library.binaryCrossEntropy(
      row(ctx, x),
      row(ctx, targets),
      common,
    );
    return [loss, grad, gradTargets];
  },
  async entropy(ctx, x) {
    const { entropy, grad } = await library.entropy(row(ctx, x), common);
    return [entropy, grad];
  },
  async klDivergence(ctx, x, target, kind) {
    const { divergence, grad, gradTarget } = await library.klDivergence(row(ctx, x), row(ctx, target), {
      ...common,
      target: kind.replaceAll(/['`]/g, '') as library.KlTarget,
    });
    return [divergence, grad, gradTarget];
  },
  async logitStats(ctx, x, target) {
    const stats = await library.logitStats(row(ctx, x), Int32Array.from(numbers(target)), { topK: 2 });
    const { logSumExp, entropy, argmax, targetLogProb, targetRank, topK } = stats;
    return [logSumExp, entropy, argmax, targetLogProb, targetRank, topK?.values, topK?.indices];
  },
};

describe('special rows', async () => {
  const opened = await openGpu();
  const contexts: [string, Context][] = [['cpu', await createContext({ backend: 'cpu' })]];
  if (opened.gpu) {
    contexts.push([opened.kind, await createContext({ backend: 'webgpu', gpu: opened.gpu })]);
  }
  const tables = document.tables.flatMap((table) => {
    const [, name, inputs] = /^special (\w+) (\d)$/.exec(table.check ?? '') ?? [];
    return name === undefined ? [] : [{ ...table, name, inputs: Number(inputs) }];
  });

  test('have a table for each kind', () => {
    expect(tables.map(({ name }) => name).sort()).toEqual(Object.keys(fills).sort());
  });

  for (const [where, ctx] of contexts) {
    for (const { name, inputs, rows } of tables) {
      const fill = fills[name] as Fill;
      for (const cells of rows) {
        // On a software adapter, the first row of each kind compiles its kernels.
        test(`${name} of ${cells.slice(0, inputs).join(' | ')}, on ${where}`, {
          timeout: 300_000,
        }, async () => {
          const results = await fill(ctx, ...cells.slice(0, inputs));
          const shown = await Promise.all(results.map((made) => format(made as Tensor)));
          expect(shown).toEqual(cells.slice(inputs));
        });
      }
    }
  }
});

describe('orders of options', () => {
  for (const name of ['crossEntropy', 'nllLoss', 'binaryCrossEntropy', 'entropy']) {
    test(`${name} has the options listed, and no others`, async () => {
      const rows = tablesOf(document, `order ${name}`).flatMap((table) => table.rows);
      const listed = rows.flatMap(([option = '']) => quoted(option));
      expect([...listed, 'policy', 'signal'].sort()).toEqual((await optionsOf(name)).sort());
    });
  }
});

test('every operation has a section', () => {
  const sections = document.headings.flatMap((heading) => heading.split(', '));
  const operations = Object.entries(library)
    .filter(([name, value]) => /^[a-z]/.test(name) && typeof value === 'function')
    .map(([name]) => name)
    .filter((name) => name !== 'createContext' && !name.startsWith('plan'));
  for (const name of operations) expect(sections).toContain(name);
});

test('the bounds named are those of the tests', () => {
  const rows = tablesOf(document, 'bounds').flatMap((table) => table.rows);
  const named = rows.flatMap((cells) => quoted(cells.at(-1) ?? ''));
  // All that are not about the parts of others.
  const own = Object.keys(bounds).filter((name) => /Bound$/.test(name) && name !== 'surpriseBound');
  expect(named).toEqual(expect.arrayContaining(own));
  for (const name of named) expect(Object.keys(bounds)).toContain(name);
});

describe('cost', async () => {
  const ctx = await createContext({ device: fakeDevice() });
  const plans = library as unknown as Record<
    string,
    (ctx: Context, options: object) => Promise<OpPlan<object>>
  >;

  /** A sum of products such as `2 s R C + 4 R`. */
  function evaluate(formula: string, values: Readonly<Record<string, number>>): number {
    return formula.split(' + ').reduce((sum, product) => {
      const factors = product.split(' ').map((factor) => values[factor] ?? Number(factor));
      return sum + factors.reduce((a, b) => a * b, 1);
    }, 0);
  }

  for (const [plan = '', options = '', bytes = '', split = ''] of tablesOf(document, 'cost').flatMap(
    ({ rows }) => rows,
  )) {
    test.each([
      ['f32', 4],
      ['bf16', 2],
    ] as const)(`${plan} ${options} %s`, async (dtype, s) => {
      for (const [R, C] of [
        [4, 1],
        [8, 32],
        [100, 1000],
        [16_384, 31],
        [6, 16_384],
        [5, 20_000],
        [40, 24_577],
      ] as const) {
        const values = { R, C, s, G: Math.ceil(C / 8192) };
        const make = plans[quoted(plan)[0] ?? ''];
        if (make === undefined) throw new Error(`webgpu-loss has no ${plan}`);
        const { passes } = await make(ctx, { shape: [R, C], dtype, ...optionsIn(options) });
        const sum = passes.reduce((total, pass) => total + pass.bytes, 0);
        expect(sum, `${R} rows of ${C}`).toBe(
          evaluate(bytes, values) + (C > 16_384 ? evaluate(split, values) : 0),
        );
      }
    });
  }

  test('every plan has a row', () => {
    const rows = tablesOf(document, 'cost').flatMap((table) => table.rows);
    const listed = new Set(rows.map(([plan = '']) => quoted(plan)[0]));
    // What a product reads and writes depends on its chunks: said in words.
    const exported = Object.keys(library).filter(
      (name) => name.startsWith('plan') && name !== 'planLinearCrossEntropy',
    );
    expect([...listed].sort()).toEqual(exported.sort());
  });
});
