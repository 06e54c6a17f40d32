import { describe, expect, it } from 'vitest';
import { detailed, outlines } from '../../bench/tune/candidates.js';
import { successiveHalving } from '../../bench/tune/halving.js';
import { bestOf, formatReport } from '../../bench/tune/report.js';
import { factsWith } from '../plan/facts.js';

const gpuFacts = factsWith();

describe('successive halving', () => {
  it('finds the best few, and looks longer at fewer', async () => {
    const looks: [number, number][] = [];
    const items = Array.from({ length: 20 }, (_, k) => 100 + ((k * 7) % 20));
    const left = await successiveHalving(items, async (those, effort) => {
      looks.push([those.length, effort]);
      return those;
    });
    expect(left).toEqual([100, 101, 102, 103]);
    expect(looks).toEqual([
      [20, 1],
      [10, 2],
      [5, 4],
    ]);
  });

  it('drops what is hopeless after one look', async () => {
    const looked: number[][] = [];
    const left = await successiveHalving([1, 1.1, 50, 60, 70, 80, 90, 100], async (those) => {
      looked.push([...those]);
      return those;
    });
    expect(left).toEqual([1, 1.1]);
    expect(looked).toHaveLength(1);
  });

  it('measures nothing where there is nothing to choose from', async () => {
    const left = await successiveHalving([1, 2], () => Promise.reject(new Error('not needed')));
    expect(left).toEqual([1, 2]);
  });
});

describe('candidates', () => {
  it('have a segment only where rows are split', () => {
    const all = outlines(gpuFacts);
    expect(all.some(({ strategy }) => strategy === 'split-row')).toBe(true);
    for (const { strategy, segment } of all) expect(segment !== undefined).toBe(strategy === 'split-row');
    expect(new Set(all.map((policy) => JSON.stringify(policy))).size).toBe(all.length);
  });

  it('have subgroups only where the device and the strategy do', () => {
    const without = factsWith({ features: [] });
    const details = detailed({ strategy: 'row-per-workgroup' }, gpuFacts);
    expect(details).toContainEqual({
      strategy: 'row-per-workgroup',
      subgroups: false,
      vec4: true,
      unrolled: false,
      kept: true,
      apart: false,
    });
    expect(details).toHaveLength(32);
    expect(detailed({ strategy: 'row-per-workgroup' }, without)).toHaveLength(16);
    expect(detailed({ strategy: 'row-per-thread' }, gpuFacts)).toHaveLength(8);
    expect(detailed({ strategy: 'split-row' }, without)).toHaveLength(4);
  });
});

describe('the report', () => {
  const around = (median: number, spread = 0.1) => ({
    p5: median - 2 * spread,
    p25: median - spread,
    median,
    p75: median + spread,
    p95: median + 2 * spread,
  });
  const standard = { policy: {}, speedup: around(1, 0), variants: {} };
  const wide = { policy: { strategy: 'row-per-workgroup', workgroupSize: 256 } as const, variants: {} };

  it('recommends what is faster beyond doubt, and the default otherwise', () => {
    expect(bestOf([{ ...wide, speedup: around(1.3) }, standard])).toBe(wide.policy);
    expect(bestOf([{ ...wide, speedup: around(1.05) }, standard])).toEqual({});
    expect(bestOf([standard, { ...wide, speedup: around(0.5) }])).toEqual({});
  });

  it('has the policies in the form that createContext takes', () => {
    const report = formatReport({
      date: '2026-01-01T00:00:00.000Z',
      adapter: gpuFacts,
      versions: { node: 'v20' },
      dtype: 'f32',
      ops: ['softmax'],
      seed: 1,
      shapes: [
        { shape: [2, 1000], ranked: [{ ...wide, speedup: around(1.3) }, standard] },
        { shape: [2, 10], ranked: [standard] },
      ],
    });
    expect(report).toContain(
      "createContext({ policy: { strategy: 'row-per-workgroup', workgroupSize: 256 } }) // 1000 classes",
    );
    expect(report).toContain('createContext() // 10 classes');
    expect(report).toMatch(/2 x 1000 .* 1\.30 .* 1\.20 - 1\.40/);
  });
});
