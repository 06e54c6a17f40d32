import { Presets, SingleBar } from 'cli-progress';
import { onInterruption } from '../interruption.js';

export interface Progress {
  update(rows: number): void;
  stop(): void;
}

/** A bar on stderr, which leaves stdout to the results; nothing where stderr is no terminal. */
export function progressBar(rows: number): Progress {
  const bar = new SingleBar(
    {
      format: 'scoring [{bar}] {percentage}%  {value}/{total} rows  {eta_formatted} left',
      barsize: 24,
      stream: process.stderr,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(rows, 0);
  const release = onInterruption(() => bar.stop());
  return {
    update: (done) => bar.update(done),
    stop: () => {
      release();
      bar.stop();
    },
  };
}
