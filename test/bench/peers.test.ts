import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SHAPES } from '../../bench/measure/cases.js';
import { meetingsOf } from '../../bench/peers/contenders/meetings.js';
import { bestOf, GOALS, type Goal, judge } from '../../bench/peers/goals.js';
import { parseOptions } from '../../bench/peers/options.js';
import { formatReport } from '../../bench/peers/report.js';
import { contendersOf, roleOf } from '../../bench/peers/roles.js';
import { LAYERS } from '../../bench/peers/shapes.js';
import { formatSummaries, layerSummary, rowSummaries } from '../../bench/peers/summary.js';
import { parseRows, type Row } from '../../bench/report/row.js';
import { OptionError } from '../../scripts/arguments.js';
import { layerRowOf, rowOf } from './rows.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The rows of one case, from the time of each contender; ratios as a round without noise gives them. */
function rowsOf(times: Readonly<Record<string, number>>, of: Partial<Row> = {}): Row[] {
  const flat = (value: number) => ({ p5: value, p25: value, median: value, p75: value, p95: value });
  return Object.entries(times).map(([contender, ms]) => {
    const others = Object.entries(times).filter(([name]) => name !== contender);
    return rowOf({
      op: 'crossEntropyGrad',
      rows: 256,
      classes: 32768,
      ...of,
      contender,
      timing: {
        clock: 'wall',
        batch: 1,
        rounds: 1,
        ms: flat(ms),
        ratios: Object.fromEntries(others.map(([name, other]) => [name, flat(other / ms)])),
      },
    });
  });
}

/** A case of the first of the layers that goals are set on. */
const layer = (op: 'matMul' | 'linearCrossEntropyGrad'): Partial<Row> => {
  const [[rows, features, classes]] = LAYERS as readonly [(typeof LAYERS)[number]];
  return { op, rows, features, classes };
};

const goal = (rival: Goal['rival'], times: number): Goal => ({
  where: 'lavapipe',
  ops: ['crossEntropyGrad'],
  shapes: [[256, 32768]],
  rival,
  times,
});

describe('the goals', () => {
  const rows = rowsOf({ ours: 10, 'naive-64': 30, tfjs: 90, 'jax-js': 65, 'jax-js-formula': 20, exps: 8 });

  it('are judged by the fastest peer that derives its gradient', () => {
    const [finding] = judge(rows, [goal('best peer', 6.5)]);
    expect(finding?.found).toMatchObject({ rival: 'jax-js', reached: true, ratio: { median: 6.5 } });
    expect(finding?.limits).toEqual([]);
  });

  it('that are not reached come with what limits them', () => {
    const [finding] = judge(rows, [goal('naive-64', 3.5)]);
    expect(finding?.found).toMatchObject({ rival: 'naive-64', reached: false, ratio: { median: 3 } });
    expect(finding?.limits).toEqual([{ name: 'exps', share: 0.8, timesRival: 30 / 8 }]);
  });

  it('of being faster are not reached by being as fast', () => {
    const reached = (ours: number) =>
      judge(rowsOf({ ours, tfjs: 10 }), [goal('best peer', 1)])[0]?.found?.reached;
    expect([reached(10), reached(9.9)]).toEqual([false, true]);
  });

  it('count only where they were measured', () => {
    for (const times of [{ ours: 1 }, { 'naive-64': 1, tfjs: 1 }, { ours: 1, 'tfjs-formula': 1 }]) {
      expect(judge(rowsOf(times), [goal('best peer', 1)])[0]?.found).toBeUndefined();
    }
    expect(judge(rows, [{ ...goal('naive-64', 1), where: 'chromium' }])[0]?.found).toBeUndefined();
  });

  it('cover each op on each shape that a peer is to be beaten on', () => {
    const against = GOALS.filter(({ rival }) => rival === 'best peer').flatMap(({ where, ops, shapes }) =>
      ops.flatMap((op) => shapes.map((shape) => `${where} ${op} ${shape.join('x')}`)),
    );
    expect(new Set(against).size).toBe(against.length);
    expect(against).toHaveLength(2 * (4 * SHAPES.length + 4));
  });

  it('are told in the report', () => {
    const report = formatReport(rows);
    expect(report).toMatch(/3 x naive-64 .* 3\.00 \(3\.00 - 3\.00\) .* reached/);
    expect(report).toMatch(
      /7 x best peer .* 6\.50 .* jax-js .* NOT reached .* exps 80% of our time, 8\.13 x the rival/,
    );
    const all = GOALS.reduce((sum, { ops, shapes }) => sum + ops.length * shapes.length, 0);
    expect(report).toContain(`1 of 2 goals reached; ${all - 2} not measured`);
  });

  it('of the product are to be ahead of each framework that one trains with, on every layer', () => {
    const goals = GOALS.filter(({ ops }) => ops.includes('matMul'));
    expect(goals.map(({ where, rival, times }) => [where, rival, times])).toEqual(
      ['lavapipe', 'chromium'].flatMap((where) => ['tfjs', 'jax-js'].map((rival) => [where, rival, 1])),
    );
    for (const { shapes } of goals) expect(shapes).toBe(LAYERS);
    const found = (ours: number) =>
      judge(rowsOf({ ours, tfjs: 10, 'jax-js': 6, onnxruntime: 1 }, layer('matMul')), goals).flatMap(
        (finding) => (finding.found === undefined ? [] : [[finding.found.rival, finding.found.reached]]),
      );
    expect(found(7)).toEqual([
      ['tfjs', true],
      ['jax-js', false],
    ]);
    expect(found(5)).toEqual([
      ['tfjs', true],
      ['jax-js', true],
    ]);
  });

  it('of bounded memory are at most 1.15 times the time with memory for all logits, also in chunks', () => {
    const goals = GOALS.filter(({ rival, where }) => rival === 'materialised' && where === 'lavapipe');
    const found = (ours: number, chunked: number) =>
      judge(
        rowsOf({ ours, 'ours-chunked': chunked, materialised: 10 }, layer('linearCrossEntropyGrad')),
        goals,
      )
        .filter(({ shape }) => shape === LAYERS[0])
        .map((finding) => finding.found?.reached);
    expect(found(10, 11.4)).toEqual([true, true]);
    expect(found(11.6, 11.4)).toEqual([false, true]);
    expect(found(11.4, 11.6)).toEqual([true, false]);
    const report = formatReport(
      rowsOf({ ours: 10, 'ours-chunked': 12, materialised: 10 }, layer('linearCrossEntropyGrad')),
    );
    expect(report).toMatch(/Grad, chunked .* at most 1\.15 x the time of materialised .* NOT reached/);
    expect(report).toContain('1 of 2 goals reached');
  });

  it('are of the layer with those features, and of no other', () => {
    const [goal] = GOALS.filter(({ ops }) => ops.includes('matMul'));
    const other = rowsOf({ ours: 1, tfjs: 10 }, { ...layer('matMul'), features: 7 });
    expect(judge(other, [goal as Goal]).filter(({ found }) => found !== undefined)).toEqual([]);
  });

  it('say which peer gave no answer, and why', () => {
    const [ours, tfjs] = rowsOf({ ours: 1, tfjs: 2 });
    const { timing: _, ...failed } = tfjs as Row;
    const report = formatReport([ours as Row, { ...failed, wrong: 'left out: one call takes 9.1 s' }]);
    expect(report).toMatch(/tfjs .* left out: one call takes 9\.1 s/);
    const slow = formatReport([ours as Row, { ...failed, leftOut: 'one call takes 5.2 s' }]);
    expect(slow).toMatch(/tfjs .* left out: one call takes 5\.2 s/);
  });
});

describe('contenders', () => {
  it('of a layer have a table of their own, with what they hold', () => {
    const ratios = { 'jax-js': { p5: 2, p25: 2, median: 2, p75: 2, p95: 2 } };
    const timing = { ...(rowOf({}).timing as NonNullable<Row['timing']>), ratios };
    const report = formatReport([layerRowOf({ timing, scratchBytes: 3 * 2 ** 20 })]);
    expect(report).toMatch(
      /rows x features x classes .* GFLOP\/s .* x tiled-16x16 .* x jax-js .* scratch MiB/,
    );
    expect(report).toMatch(/20 x 12 x 1001 .* 0\.721 .* 2\.00 \(2\.00 - 2\.00\) .* 3\.00 /);
  });

  it('have roles', () => {
    expect(contendersOf('peer')).toEqual(['tfjs', 'onnxruntime', 'jax-js']);
    expect(roleOf('jax-js-formula')).toBe('formula');
    expect(() => roleOf('nobody')).toThrow('"nobody"');
  });

  it('are compared by the fastest', () => {
    const ratios = rowsOf({ ours: 2, a: 8, b: 4 })[0]?.timing?.ratios ?? {};
    expect(bestOf(ratios, ['a', 'b', 'c'])).toMatchObject(['b', { median: 2 }]);
    expect(bestOf(ratios, ['c'])).toBeUndefined();
  });

  // The barriers of shaders/reduction/tree.wgsl: one for each three levels, and one more.
  it.each([
    ['softmax/row-per-workgroup@64/softmax/logits:vec4,output:vec4!', 64, 3],
    ['softmax/row-per-workgroup@16/softmax/logits:vec4,output:vec4!', 16, 3],
    ['softmax/row-per-workgroup@16/softmax/logits:vec4/subgroup4', 16, 2],
    ['softmax/split-finish@8', 8, 2],
    ['log-sum-exp/row-per-thread@16/softmax/logits', 16, 0],
  ])('that wait at barriers do so as %s does', (variant, size, barriers) => {
    expect(meetingsOf(variant)).toEqual({ size, barriers });
  });

  it('need a variant that names its kernel', () => {
    expect(() => meetingsOf('softmax')).toThrow('softmax names no kernel');
  });
});

describe('options of npm run bench:peers', () => {
  it('are everything by default', () => {
    const { places, peers, cases } = parseOptions([]);
    expect({ places, peers, cases: cases.length }).toEqual({
      places: ['chromium', 'lavapipe'],
      peers: ['tfjs', 'onnxruntime', 'jax-js'],
      cases: 5 * SHAPES.length + 2 * LAYERS.length,
    });
  });

  it.each([
    [['--op', 'entropy'], '--op must be one of softmax, logSoftmax'],
    [['--where', 'firefox'], '--where must be one of chromium, lavapipe'],
    [['--peer', 'torch'], '--peer must be one of tfjs'],
    [['--shape', '10'], '--shape must be ROWSxCLASSES or ROWSxFEATURESxCLASSES'],
    [['--op', 'matMul', '--shape', '4x36'], 'has none for matMul; matMul needs ROWSxFEATURESxCLASSES'],
    [['--op', 'softmax,matMul', '--shape', '4x3x36'], 'has none for softmax; softmax needs ROWSxCLASSES'],
    [['--shape', '9999999x9999999'], 'elements in a matrix, not "9999999x9999999"'],
    [['--out', ''], '--out must not be empty'],
    [['--shapes', '1x1'], "Unknown option '--shapes'"],
  ])('%j are refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(OptionError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});

// The peers are installed by the bench itself, when it is run for the first time: without them there is nothing to try.
const isInstalled = existsSync(join(root, 'bench', 'peers', 'node_modules', 'onnxruntime-web'));

describe('the tables of README.md', () => {
  const rows = [
    ...rowsOf({ ours: 10, 'naive-64': 1, tfjs: 30, 'jax-js': 25, copy: 2 }),
    ...rowsOf({ ours: 10, tfjs: 5 }, { op: 'softmax', classes: 10 }),
    ...rowsOf({ ours: 10, tfjs: 30, 'jax-js': 5 }, layer('matMul')),
    ...rowsOf(
      { ours: 10, 'ours-chunked': 20, materialised: 15, 'jax-js': 10 },
      layer('linearCrossEntropyGrad'),
    ),
  ];

  it('have the best peer of each op over rows, place by place', () => {
    const [chromium, lavapipe] = rowSummaries(rows);
    expect(chromium?.rows).toEqual([]);
    expect(lavapipe?.rows).toEqual([
      ['256 × 32,768', '–', '–', '–', '–', '2.50 (2.50 - 2.50) jax-js'],
      ['256 × 10', '0.500 (0.500 - 0.500) tfjs', '–', '–', '–', '–'],
    ]);
  });

  it('have linear layers beside peers, and beside memory for all logits', () => {
    const [first] = layerSummary(rows).rows;
    const flat = (digits: string): string => `${digits} (${digits} - ${digits})`;
    const ratios = ['3.00', '0.500', '–', '1.00', '1.50', '0.750'];
    const cells = ratios.map((ratio) => (ratio === '–' ? ratio : flat(ratio)));
    cells[3] += ' ?';
    expect(first?.slice(2)).toEqual(cells);
    expect(first?.[0]).toBe('lavapipe');
  });

  it('are printed as Markdown', () => {
    expect(formatSummaries(rows)).toContain(
      '<!-- check: peers layers -->\n| adapter | rows × features × classes |',
    );
    expect(() => parseOptions(['--markdown'])).toThrow(OptionError);
    expect(parseOptions(['--render', 'a.jsonl', '--markdown']).markdown).toBe(true);
  });
});

it.runIf(isInstalled)('npm run bench:peers measures every peer in Chromium', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-peers-test-'));
  try {
    const out = join(folder, 'rows.jsonl');
    const args = ['--where', 'chromium', '--quick', '--shape', '4x36,20x12x1001', '--out', out];
    await promisify(execFile)(process.execPath, ['--import', 'tsx', 'bench/peers/main.ts', ...args], {
      cwd: root,
    });
    const rows = parseRows(readFileSync(out, 'utf8'), out);
    expect(rows.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
    const timed = (op: string) =>
      rows.filter((row) => row.op === op && row.timing !== undefined).map(({ contender }) => contender);
    const common = ['ours', 'naive-64', 'naive-256', 'tfjs'];
    const limits = ['copy', 'reads', 'exps', 'barriers'];
    expect(timed('logSoftmax')).toEqual([
      ...common,
      'onnxruntime',
      'onnxruntime-operator',
      'jax-js',
      ...limits,
    ]);
    expect(timed('crossEntropyGrad')).toEqual([
      ...common,
      'tfjs-formula',
      'jax-js',
      'jax-js-formula',
      ...limits,
    ]);
    const plain = ['naive-8x8', 'tiled-16x16'];
    expect(timed('matMul')).toEqual(['ours', ...plain, 'tfjs', 'onnxruntime', 'jax-js', 'copy']);
    expect(timed('linearCrossEntropyGrad')).toEqual([
      ...['ours', 'ours-chunked', 'materialised'],
      ...['tfjs', 'jax-js', 'copy'],
    ]);
    const ours = rows.find(({ op, contender }) => op === 'matMul' && contender === 'ours');
    expect(ours).toMatchObject({ features: 12, flops: 2 * 20 * 12 * 1001 });
    expect(ours?.passes?.map(({ variant }) => variant)).toEqual([
      expect.stringMatching(/^product\/logits\/direct@/),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
