import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  step(what: string): void;
  stop(): void;
}

// Where there is no terminal, a line now and then.
const LINE_EVERY_MS = 30_000;

/** A bar on stderr: results have stdout for themselves. */
export function progressBar(total: number, what: string): Progress {
  const bar = new SingleBar(
    {
      format: `${what} [{bar}] {value}/{total}  {last}`,
      barsize: 24,
      stream: process.stderr,
      noTTYOutput: true,
      notTTYSchedule: LINE_EVERY_MS,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0, { last: '' });
  return {
    step: (last) => bar.increment({ last }),
    stop: () => bar.stop(),
  };
}
