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
import { parseRows, type Row } from '../../bench/report/row.js';
import { OptionError } from '../../scripts/arguments.js';
import { rowOf } from './rows.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The rows of one case, from the time of each contender; ratios as a round without noise gives them. */
function rowsOf(times: Readonly<Record<string, number>>): Row[] {
  const flat = (value: number) => ({ p5: value, p25: value, median: value, p75: value, p95: value });
  return Object.entries(times).map(([contender, ms]) => {
    const others = Object.entries(times).filter(([name]) => name !== contender);
    return rowOf({
      op: 'crossEntropyGrad',
      rows: 256,
      classes: 32768,
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
    expect(report).toContain(`1 of 2 goals reached; ${GOALS.length === 10 ? 66 : 0} not measured`);
  });

  it('say which peer gave no answer, and why', () => {
    const [ours, tfjs] = rowsOf({ ours: 1, tfjs: 2 });
    const { timing: _, ...failed } = tfjs as Row;
    const report = formatReport([ours as Row, { ...failed, wrong: 'left out: one call takes 9.1 s' }]);
    expect(report).toMatch(/tfjs .* left out: one call takes 9\.1 s/);
  });
});

describe('contenders', () => {
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
      cases: 5 * SHAPES.length,
    });
  });

  it.each([
    [['--op', 'entropy'], '--op must be one of softmax, logSoftmax'],
    [['--where', 'firefox'], '--where must be one of chromium, lavapipe'],
    [['--peer', 'torch'], '--peer must be one of tfjs'],
    [['--shape', '10'], '--shape must be ROWSxCLASSES'],
    [['--shape', '9999999x9999999'], 'elements, not "9999999x9999999"'],
    [['--out', ''], '--out must not be empty'],
    [['--shapes', '1x1'], "Unknown option '--shapes'"],
  ])('%j are refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(OptionError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});

// The peers are installed by the bench itself, when it is run for the first time: without them there is nothing to try.
const isInstalled = existsSync(join(root, 'bench', 'peers', 'node_modules', 'onnxruntime-web'));

it.runIf(isInstalled)('npm run bench:peers measures every peer in Chromium', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'webgpu-loss-peers-test-'));
  try {
    const out = join(folder, 'rows.jsonl');
    const args = ['--where', 'chromium', '--quick', '--shape', '4x36', '--out', out];
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
  } finally {
    rmSync(folder, { recursive: true });
  }
});
