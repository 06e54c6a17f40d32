import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { drawPlots } from '../../bench/report/plots.js';
import { layerRowOf, rowOf } from './rows.js';

const adapter = (name: string) => ({ ...rowOf({}).adapter, name });
const rows = [10, 100, 1000].flatMap((classes) => [
  rowOf({ classes }),
  rowOf({ classes, op: 'crossEntropyGrad' }),
  rowOf({ classes, adapter: adapter('SwiftShader Device') }),
]);

describe('plots', () => {
  const plots = drawPlots(rows);

  it('are one for each adapter, and one of all', () => {
    expect(Object.keys(plots).sort()).toEqual([
      'adapters.svg',
      'bandwidth-lavapipe.svg',
      'bandwidth-swiftshader-device.svg',
    ]);
  });

  it('are SVG, with a line for each op and its name', () => {
    const { document } = parseHTML(plots['bandwidth-lavapipe.svg'] as string);
    const svg = document.querySelector('svg');
    expect(svg?.getAttribute('xmlns')).toBe('http://www.w3.org/2000/svg');
    const lines = [...document.querySelectorAll('[aria-label="line"] path[stroke]')];
    expect(lines).toHaveLength(2);
    expect(svg?.textContent).toContain('crossEntropyGrad');
    expect(svg?.textContent).toContain('on lavapipe');
  });

  it('leave out what was not timed, and the yardsticks', () => {
    const { timing: _, ...wrong } = rowOf({ op: 'entropy', wrong: 'NaN' });
    const [plot = ''] = Object.values(
      drawPlots([rowOf({}), wrong, rowOf({ contender: 'naive-64', op: 'logSumExp' })]),
    );
    expect(plot).toContain('softmax');
    expect(plot).not.toContain('entropy');
    expect(plot).not.toContain('logSumExp');
  });

  it('of linear layers have a bar for each contender in each case, and no place among the bandwidths', () => {
    const layers = [
      layerRowOf({}),
      layerRowOf({ contender: 'materialised', gigaflopsPerSecond: 0.9 }),
      layerRowOf({ op: 'linearCrossEntropy', classes: 50257 }),
    ];
    const drawn = drawPlots([...rows, ...layers]);
    expect(Object.keys(drawn)).toContain('products-lavapipe.svg');
    expect(drawn['bandwidth-lavapipe.svg']).toContain('crossEntropyGrad');
    expect(drawn['bandwidth-lavapipe.svg']).not.toContain('linearCrossEntropy');
    expect(drawn['adapters.svg']).not.toContain('linearCrossEntropy');
    const { document } = parseHTML(drawn['products-lavapipe.svg'] as string);
    expect([...document.querySelectorAll('[aria-label="bar"] rect')]).toHaveLength(3);
    const text = document.querySelector('svg')?.textContent;
    for (const name of [
      'linearCrossEntropyGrad 20x12x1001 f32',
      'linearCrossEntropy 20x12x50257 f32',
      'materialised',
    ]) {
      expect(text).toContain(name);
    }
  });
});
