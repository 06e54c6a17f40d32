import { describe, expect, it } from 'vitest';
import { parseRows, type Row } from '../../bench/report/row.js';
import { formatTables } from '../../bench/report/table.js';
import { layerRowOf, rowOf } from './rows.js';

const lines = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

describe('JSON lines', () => {
  it('come back as they were written', () => {
    const rows = [
      rowOf({}),
      rowOf({ contender: 'copy' }),
      layerRowOf({}),
      layerRowOf({ peakBytes: 5, tf32: false }),
    ];
    expect(parseRows(`${lines(...rows)}\n`, 'some.jsonl')).toEqual(rows);
  });

  // Each with what the message must name.
  it.each<[string, (row: Row) => object, string]>([
    ['another op', (row) => ({ ...row, op: 'softmin' }), 'op'],
    ['no bytes', ({ bytes: _, ...row }) => row, 'bytes'],
    ['half a row', (row) => ({ ...row, rows: 0.5 }), 'rows'],
    ['no features of a linear layer', (row) => ({ ...row, features: 0 }), 'features'],
    ['a part of a byte', (row) => ({ ...row, scratchBytes: 0.5 }), 'scratchBytes'],
    ['a median that is a text', (row) => ({ ...row, timing: { ...row.timing, ms: '1' } }), 'timing.ms'],
    ['another date', (row) => ({ ...row, date: 'today' }), 'date'],
  ])('are refused with %s', (_, change, name) => {
    const text = lines(rowOf({}), change(rowOf({})));
    expect(() => parseRows(text, 'some.jsonl')).toThrow('some.jsonl:2 is no row of a bench');
    expect(() => parseRows(text, 'some.jsonl')).toThrow(name);
  });

  it('are refused where they are no JSON', () => {
    expect(() => parseRows('{', 'some.jsonl')).toThrow('some.jsonl:1 is no JSON');
  });
});

describe('the table', () => {
  it('has a heading for each adapter and what ran there', () => {
    const cpu = { ...rowOf({}).adapter, name: 'cpu', description: 'the CPU', subgroupMaxSize: 0 };
    const text = formatTables([rowOf({}), rowOf({ adapter: cpu })]);
    expect(text).toContain('lavapipe: a software adapter, subgroups of 8 to 8\n  webgpu-loss 0.1.0');
    expect(text).toContain('cpu: the CPU\n');
  });

  it('compares with the yardsticks in columns, and gives them no lines', () => {
    const text = formatTables([rowOf({}), rowOf({ contender: 'copy' }), rowOf({ contender: 'naive-64' })]);
    expect(text).toMatch(/of copy.*x naive-64/);
    expect(text.match(/softmax/g)).toHaveLength(1);
    expect(text).toMatch(/ 2\.00 .* 1\.80 - 2\.20 .* 0\.500 .* 3\.00 /);
  });

  it('says what is wrong, or why it was left out, in place of a time', () => {
    const { timing: _, ...untimed } = rowOf({ wrong: 'output[3] is NaN, expected 1' });
    expect(formatTables([untimed])).toContain('wrong: output[3] is NaN, expected 1');
    const { wrong: __, ...right } = untimed;
    expect(formatTables([{ ...right, leftOut: 'one execution takes 9.5 s' }])).toContain(
      'left out: one exec',
    );
  });

  it('compares with another revision, and says so where there is no difference', () => {
    const ratio = (p25: number, median: number, p75: number) => ({ p5: p25, p25, median, p75, p95: p75 });
    const against = (low: number, middle: number, high: number): Row => {
      const row = rowOf({});
      const timing = row.timing as NonNullable<Row['timing']>;
      return { ...row, timing: { ...timing, ratios: { 'ours@abc': ratio(low, middle, high) } } };
    };
    const text = formatTables([
      against(0.9, 1, 1.1),
      against(1.4, 1.5, 1.6),
      rowOf({ contender: 'ours@abc' }),
    ]);
    expect(text).toContain('no difference (0.900 - 1.10)');
    expect(text).toContain('1.50 (1.40 - 1.60)');
  });

  it('has linear layers in one of their own, with their rival and their memory', () => {
    const ratio = { p5: 0.8, p25: 0.85, median: 0.9, p75: 0.95, p95: 1 };
    const timing = rowOf({}).timing as NonNullable<Row['timing']>;
    const text = formatTables([
      rowOf({}),
      layerRowOf({ timing: { ...timing, ratios: { ...timing.ratios, materialised: ratio } } }),
      layerRowOf({ contender: 'materialised', scratchBytes: 12 * 2 ** 20 }),
    ]);
    expect(text).toContain('rows x classes');
    expect(text).toMatch(/rows x features x classes .* GFLOP\/s .* x materialised .* scratch MiB/);
    expect(text).toMatch(/20 x 12 x 1001 .* ours .* 0\.721 .* 0\.900 \(0\.850 - 0\.950\) .* 1\.00 /);
    expect(text).toMatch(/20 x 12 x 1001 .* materialised .* 12\.0 /);
    // Whose logits did not fit is said in its line.
    const { timing: _, ...untimed } = layerRowOf({ contender: 'materialised' });
    expect(formatTables([layerRowOf({}), { ...untimed, leftOut: 'the logits take 6252 MiB' }])).toContain(
      'left out: the logits take 6252 MiB',
    );
    expect(formatTables([layerRowOf({ contender: 'torch-eager', peakBytes: 7 * 2 ** 20 })])).toMatch(
      /peak MiB[\s\S]* 7\.00 /,
    );
    expect(formatTables([rowOf({ scratchBytes: 5 })])).not.toMatch(/peak|scratch|features/);
  });
});
