import { describe, expect, test } from 'vitest';
import { requiredTargets, targetNames } from '../targets/names.js';
import { formatFailures, formatReports } from '../targets/reporter.js';

describe('requiredTargets', () => {
  test('takes names, and all for whatever needs no GPU', () => {
    expect([...requiredTargets('')]).toEqual([]);
    expect([...requiredTargets('cpu, lavapipe')]).toEqual(['cpu', 'lavapipe']);
    expect([...requiredTargets('all')]).toEqual(targetNames.filter((name) => name !== 'hardware'));
    expect(requiredTargets('all,hardware').has('hardware')).toBe(true);
  });

  test('refuses a name that no target has', () => {
    expect(() => requiredTargets('cpu,lavapip')).toThrow('"lavapip"');
  });
});

describe('the report', () => {
  test('lays the targets side by side, quantity by quantity', () => {
    const entry = (target: string, quantity: string, worst: number, where: string) => ({
      target,
      quantity,
      worst,
      where,
      count: 10,
    });
    const text = formatReports([
      { target: 'cpu', adapter: 'CPU', ledger: [entry('cpu', 'loss', 0.25, 'case a')] },
      {
        target: 'chromium',
        adapter: 'HeadlessChrome',
        ledger: [entry('chromium', 'loss', 0.5, 'case b'), entry('chromium', 'grad', 0.125, 'case c')],
      },
    ]);
    expect(text).toMatch(/Ran on\n +cpu +CPU\n +chromium +HeadlessChrome\n/);
    expect(text).toMatch(/\n +cpu +chromium +compared +worst at\n/);
    expect(text).toMatch(/\n +grad +- +0\.125 +10 +case c\n/);
    expect(text).toMatch(/\n +loss +0\.250 +0\.500 +20 +case b\n/);
    expect(text).not.toContain('Not run');
  });

  test('says what did not run, and why', () => {
    const text = formatReports([
      { target: 'lavapipe', missing: 'no driver;\n install Mesa', adapter: '', ledger: [] },
    ]);
    expect(text).toMatch(/Not run\n +lavapipe +no driver; install Mesa/);
    expect(text).not.toContain('Ran on');
  });

  test('ends with what failed', () => {
    const message = 'waited 60 s\nand more';
    expect(formatFailures([{ where: 'unit test/a.test.ts > b > c', message }])).toBe(
      ' Failed\n   unit test/a.test.ts > b > c: waited 60 s\n\n',
    );
    expect(formatFailures([])).toBe('');
  });
});
