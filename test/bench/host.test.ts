import { expect, test } from 'vitest';
import { hostCases } from '../../bench/host/cases.js';
import { Commands, silentPass } from '../../bench/host/commands.js';
import { parseOptions } from '../../bench/host/options.js';
import { timeAsync, timeSync } from '../../bench/host/time.js';

test('the options have defaults, and bad ones are refused', () => {
  expect(parseOptions([])).toMatchObject({ adapter: 'swiftshader', only: '', out: undefined, help: false });
  expect(parseOptions(['--time', '5', '--only', 'Soft']).time).toBe(5);
  expect(() => parseOptions(['--time', '0'])).toThrow(/--time is '0'/);
  expect(() => parseOptions(['--time', 'long'])).toThrow(/--time is 'long'/);
  expect(() => parseOptions(['--adaptor', 'x'])).toThrow(/--adaptor/);
});

test('no two cases have the same name', () => {
  const names = hostCases().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('the calls of a pass are made again as they were', () => {
  const pipeline = { label: 'pipeline' } as GPUComputePipeline;
  const group = { label: 'group' } as GPUBindGroup;
  const encode = (pass: GPUComputePassEncoder) => {
    pass.setPipeline(pipeline);
    for (const rows of [3, 4]) {
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(rows, 2);
    }
  };
  const commands = new Commands(encode);
  expect(commands.dispatches).toBe(2);
  const again = new Commands((pass) => commands.replay(pass));
  expect(again.calls).toEqual(commands.calls);
  expect(again.calls[0]).toEqual(['setPipeline', pipeline]);
  expect(again.calls[4]).toEqual(['dispatchWorkgroups', 4, 2]);
  encode(silentPass);
});

test('what comes before and after what is timed does not count', async () => {
  const wait = (ms: number): void => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  // Medians, of waits far apart: the processor may be busy with other things.
  const [short, long, between] = [0.2, 4, 2_000];
  let [prepared, settled] = [0, 0];
  const prepare = (): void => {
    prepared += 1;
    wait(long);
  };
  const settle = async (): Promise<void> => {
    settled += 1;
    wait(long);
  };
  const sync = timeSync(1, { prepare, step: () => wait(short) });
  expect(sync.p50).toBeLessThan(between);
  expect(prepared).toBeGreaterThanOrEqual(sync.samples);
  const quick = await timeAsync(1, { step: async () => wait(short), settle });
  expect(quick.p50).toBeLessThan(between);
  expect(settled).toBeGreaterThanOrEqual(quick.samples);
  const slow = await timeAsync(1, { step: async () => wait(long), settle: async () => undefined });
  expect(slow.p50).toBeGreaterThan(between);
});
