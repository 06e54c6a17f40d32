// Ctrl-C ends a training or a bench at once, and nothing is done for the terminal then: the cursor must not be gone.
import { afterEach, expect, test, vi } from 'vitest';
import { progressBar } from '../../bench/report/progress.js';
import { progressView } from '../../examples/common/progress.js';

const streams = [process.stdout, process.stderr] as const;
const terminals = streams.map(({ isTTY }) => isTTY);
afterEach(() => {
  vi.restoreAllMocks();
  for (const [i, stream] of streams.entries()) stream.isTTY = terminals[i] as boolean;
});

for (const [name, start] of [
  ['a training', () => progressView(10, ['loss'], false)],
  ['a bench', () => progressBar(10, 'measuring')],
] as const) {
  test(`the bar of ${name} leaves the cursor where it is`, () => {
    const writes = streams.map((stream) => vi.spyOn(stream, 'write').mockReturnValue(true));
    for (const stream of streams) stream.isTTY = true;
    start().stop();
    const shown = writes.flatMap((write) => write.mock.calls.map(([text]) => String(text))).join('');
    expect(shown).toContain('0/10');
    expect(shown).not.toContain('\x1b[?25l');
  });
}
