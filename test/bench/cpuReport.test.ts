import { describe, expect, test } from 'vitest';
import { type CaseReport, formatGoals, formatReport, timeAgainst } from '../../bench/cpu/report.js';
import type { Outcome } from '../../bench/measure/benchCase.js';
import { quantilesOf, ratiosOf } from '../../bench/measure/quantiles.js';

/** Outcomes of contenders that took these milliseconds in each of three rounds. */
function outcomesOf(ms: Readonly<Record<string, number>>): Outcome[] {
  const rounds = (one: number): number[] => [one, one, one];
  return Object.entries(ms).map(([contender, own]) => ({
    contender,
    errorOverBound: 0.5,
    timing: {
      clock: 'wall',
      batch: 1,
      rounds: 3,
      ms: quantilesOf(rounds(own)),
      ratios: Object.fromEntries(
        Object.entries(ms)
          .filter(([name]) => name !== contender)
          .map(([name, other]) => [name, ratiosOf(rounds(own), rounds(other))]),
      ),
    },
  }));
}

function reportOf(ms: Readonly<Record<string, number>>): CaseReport {
  return {
    of: { op: 'softmax', rows: 2, classes: 1000, dtype: 'f32' },
    adapter: 'CPU (WebAssembly)',
    outcomes: outcomesOf(ms),
  };
}

describe('bench:cpu', () => {
  test('ours is compared with the quickest form of a peer', () => {
    const outcomes = outcomesOf({ ours: 2, 'tfjs-wasm': 4, 'tfjs-wasm, composed': 1 });
    expect(timeAgainst(outcomes, 'ours', 'tfjs-wasm')?.median).toBe(2);
    expect(timeAgainst(outcomes, 'ours', 'tfjs-cpu')).toBeUndefined();
  });

  test('the goals are 10 times as fast as tfjs-cpu, and 3 times the time of tfjs-wasm', () => {
    const lineOf = (ms: Readonly<Record<string, number>>): string => formatGoals([reportOf(ms)]);
    expect(lineOf({ ours: 3, 'tfjs-wasm': 1, 'tfjs-cpu': 30 })).toContain('reached');
    expect(lineOf({ ours: 3.1, 'tfjs-wasm': 1, 'tfjs-cpu': 31 })).toContain(
      'missed: 3 x the time of tfjs-wasm',
    );
    expect(lineOf({ ours: 1, 'tfjs-wasm': 1, 'tfjs-cpu': 9 })).toContain('missed: 10 x tfjs-cpu');
    expect(lineOf({ ours: 1, 'tfjs-wasm': 1 })).toContain('not measured');
  });

  test('what is wrong, or left out, has no time', () => {
    const wrong: Outcome = { contender: 'tfjs-wasm', wrong: 'output[3] is NaN' };
    const slow: Outcome = { contender: 'tfjs-cpu', leftOut: 'one execution takes 4.2 s' };
    const outcomes = [...outcomesOf({ ours: 2 }), wrong, slow];
    const text = formatReport([{ ...reportOf({ ours: 2 }), outcomes }]);
    expect(text).toContain('left out: one execution takes 4.2 s');
    expect(text).toContain('wrong: output[3] is NaN');
    expect(text).toContain('1000'); // ns an element
    expect(text).toMatch(/^ours: CPU \(WebAssembly\)$/m);
  });
});
