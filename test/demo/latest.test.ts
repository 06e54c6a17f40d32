import { expect, test, vi } from 'vitest';
import { latest } from '../../demo/see/latest.js';

/** Work that ends when it is told to. */
function slow() {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const work = vi.fn(() => new Promise<void>((resolve, reject) => ends.push({ resolve, reject })));
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  return {
    work,
    async end(error?: Error): Promise<void> {
      const { resolve, reject } = ends.shift() as (typeof ends)[number];
      if (error) reject(error);
      else resolve();
      await turn();
    },
  };
}

test('what is asked for during a run is done once after it', async () => {
  const { work, end } = slow();
  const update = latest(work, () => undefined);
  update();
  update();
  update();
  expect(work).toHaveBeenCalledTimes(1);
  await end();
  expect(work).toHaveBeenCalledTimes(2);
  await end();
  expect(work).toHaveBeenCalledTimes(2);
  update();
  expect(work).toHaveBeenCalledTimes(3);
});

test('a run that fails is reported, and does not keep the next from running', async () => {
  const { work, end } = slow();
  const report = vi.fn();
  const update = latest(work, report);
  update();
  update();
  const error = new Error('lost');
  await end(error);
  expect(report).toHaveBeenCalledExactlyOnceWith(error);
  await end();
  update();
  expect(work).toHaveBeenCalledTimes(3);
});
