import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { drawPlots } from '../../bench/report/plots.js';
import { rowOf } from './rows.js';

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
});
