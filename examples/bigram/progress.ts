import { Presets, SingleBar } from 'cli-progress';

/** Shows where the training is. */
export interface ProgressView {
  update(step: number, crossEntropy: number, divergence: number): void;
  stop(): void;
}

/** A bar on a terminal; elsewhere a plain line now and then, without control characters; nothing where `quiet`. */
export function progressView(steps: number, quiet: boolean): ProgressView {
  if (quiet) return { update: () => undefined, stop: () => undefined };
  return process.stdout.isTTY ? barView(steps) : lineView(steps);
}

function barView(steps: number): ProgressView {
  const bar = new SingleBar(
    {
      format:
        'training [{bar}] {value}/{total}  cross-entropy {crossEntropy}  divergence {divergence} nats/token',
      barsize: 24,
      stream: process.stdout,
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  bar.start(steps, 0, { crossEntropy: '-', divergence: '-' });
  return {
    update: (step, crossEntropy, divergence) =>
      bar.update(step, { crossEntropy: crossEntropy.toFixed(4), divergence: divergence.toFixed(4) }),
    stop: () => bar.stop(),
  };
}

/** At most about this many lines. */
const LINES = 12;

function lineView(steps: number): ProgressView {
  let next = 0;
  return {
    update: (step, crossEntropy, divergence) => {
      if (step < next && step < steps) return;
      next = step + steps / LINES;
      const at = `step ${String(step).padStart(String(steps).length)}/${steps}`;
      console.log(
        `${at}  cross-entropy ${crossEntropy.toFixed(4)}  divergence ${divergence.toFixed(4)} nats/token`,
      );
    },
    stop: () => undefined,
  };
}
