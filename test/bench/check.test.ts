import { describe, expect, it, vi } from 'vitest';
import * as library from 'webgpu-loss';
import { benchCase } from '../../bench/measure/benchCase.js';
import { check, comparedRows } from '../../bench/measure/check.js';
import { type Case, type Contender, LeftOut } from '../../bench/measure/contender.js';
import { dataOf } from '../../bench/measure/data.js';
import { expectationOf } from '../../bench/measure/expectation.js';
import { oursContender } from '../../bench/measure/ours.js';
import { isLinear, OPS } from '../../bench/measure/tensors.js';

const context = await library.createContext({ backend: 'cpu' });
const options = { rounds: 3, sampleMs: 0.1, budgetMs: 1 };

/** Ours, with one number of one result changed. */
function spoilt(name: string, by: (value: number) => number): Contender {
  const ours = oursContender({ library, context, name: 'spoilt' });
  return {
    name: 'spoilt',
    async prepare(of, data) {
      const prepared = await ours.prepare(of, data);
      return (
        prepared && {
          ...prepared,
          async results() {
            const results = await prepared.results();
            const values = Float64Array.from(results?.[name] as ArrayLike<number>);
            values[0] = by(values[0] as number);
            return { ...results, [name]: values };
          },
        }
      );
    },
  };
}

describe('the check before the clock', () => {
  for (const op of OPS) {
    const of: Case = { op, rows: 6, classes: 50, dtype: 'f32', ...(isLinear(op) && { features: 9 }) };
    const data = dataOf(of, 3);
    const results = Object.keys(expectationOf(of, data));

    it(`${op}: what is right is timed`, async () => {
      const [outcome] = await benchCase(of, data, [oursContender({ library, context })], options);
      expect(outcome).toMatchObject({ contender: 'ours', timing: { clock: 'wall', rounds: 3 } });
      expect(outcome?.errorOverBound).toBeLessThanOrEqual(1);
      expect(outcome?.wrong).toBeUndefined();
    });

    it.each(results)(`${op}: a wrong %s is reported and not timed`, async (name) => {
      const contender = spoilt(name, (value) => value + 1e-3 * Math.max(1, Math.abs(value)));
      const [outcome] = await benchCase(of, data, [contender], options);
      expect(outcome?.timing).toBeUndefined();
      expect(outcome?.wrong).toContain(`${name}[0]`);
    });
  }

  it('NaN is wrong', async () => {
    const of: Case = { op: 'softmax', rows: 2, classes: 50, dtype: 'f32' };
    const [outcome] = await benchCase(of, dataOf(of, 3), [spoilt('output', () => Number.NaN)], options);
    expect(outcome?.wrong).toContain('NaN');
  });

  it('says what is missing, or of another size', () => {
    const of: Case = { op: 'softmax', rows: 2, classes: 3, dtype: 'f32' };
    const expectation = expectationOf(of, dataOf(of, 3));
    expect(check(of, {}, expectation).wrong).toBe("there is no result 'output'");
    expect(check(of, { output: [1] }, expectation).wrong).toBe('output holds 1 values, expected 6');
  });

  it('tells of what fails, and times the others', async () => {
    const of: Case = { op: 'softmax', rows: 2, classes: 50, dtype: 'f32' };
    const failing: Contender = { name: 'failing', prepare: () => Promise.reject(new Error('no such thing')) };
    const absent: Contender = { name: 'absent', prepare: async () => undefined };
    const all = [failing, absent, oursContender({ library, context })];
    const outcomes = await benchCase(of, dataOf(of, 3), all, options);
    expect(outcomes.map(({ contender, wrong }) => [contender, wrong])).toEqual([
      ['failing', 'no such thing'],
      ['ours', undefined],
    ]);
  });

  it('leaves out what says so itself, and says that it holds no more than it does', async () => {
    const of: Case = { op: 'softmax', rows: 2, classes: 50, dtype: 'f32' };
    const elsewhere: Contender = {
      name: 'elsewhere',
      prepare: () => Promise.reject(new LeftOut('there is no room')),
    };
    const outcomes = await benchCase(
      of,
      dataOf(of, 3),
      [elsewhere, oursContender({ library, context })],
      options,
    );
    expect(outcomes[0]).toEqual({ contender: 'elsewhere', leftOut: 'there is no room' });
    expect(outcomes[1]).toMatchObject({ contender: 'ours', scratchBytes: 0, timing: { rounds: 3 } });
  });

  it('leaves out what takes seconds', async () => {
    const of: Case = { op: 'softmax', rows: 2, classes: 50, dtype: 'f32' };
    const ours = oursContender({ library, context });
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const slow: Contender = {
      name: 'slow',
      async prepare(...args) {
        const prepared = await ours.prepare(...args);
        const submit = (times: number) => {
          now += 3000 * times;
        };
        return prepared && { ...prepared, submit };
      },
    };
    try {
      const [outcome] = await benchCase(of, dataOf(of, 3), [slow], { ...options, patienceMs: 2500 });
      expect(outcome).toEqual({ contender: 'slow', leftOut: 'one execution takes 3.0 s' });
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('looks at the first row, the last one and some in between', () => {
    expect(comparedRows(1, 5)).toEqual([0]);
    expect(comparedRows(4, 5)).toEqual([0, 1, 2, 3]);
    expect(comparedRows(100, 2 ** 18)).toEqual([0, 99]);
    const some = comparedRows(100_000, 2 ** 10);
    expect(some).toHaveLength(256);
    expect([some[0], some.at(-1)]).toEqual([0, 99_999]);
  });
});
