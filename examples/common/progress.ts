import { Presets, SingleBar } from 'cli-progress';

/** Shows where the training is. */
export interface ProgressView<Name extends string> {
  /** @param figures nats a token */
  update(step: number, figures: Readonly<Record<Name, number>>): void;
  stop(): void;
}

/**
 * A bar on a terminal; elsewhere a plain line now and then, without control characters; nothing where `quiet`.
 *
 * @param names of the figures, in the order in which they are shown
 */
export function progressView<Name extends string>(
  steps: number,
  names: readonly Name[],
  quiet: boolean,
): ProgressView<Name> {
  if (quiet) return { update: () => undefined, stop: () => undefined };
  return process.stdout.isTTY ? barView(steps, names) : lineView(steps, names);
}

function barView<Name extends string>(steps: number, names: readonly Name[]): ProgressView<Name> {
  const said = (figures?: Readonly<Record<Name, number>>) => ({ figures: lineOf(names, figures) });
  const bar = new SingleBar(
    {
      format: 'training [{bar}] {value}/{total}  {figures} nats/token',
      barsize: 24,
      stream: process.stdout,
    },
    Presets.shades_classic,
  );
  bar.start(steps, 0, said());
  return {
    update: (step, figures) => bar.update(step, said(figures)),
    stop: () => bar.stop(),
  };
}

/** At most about this many lines. */
const LINES = 12;

function lineView<Name extends string>(steps: number, names: readonly Name[]): ProgressView<Name> {
  let next = 0;
  return {
    update: (step, figures) => {
      if (step < next && step < steps) return;
      next = step + steps / LINES;
      const at = `step ${String(step).padStart(String(steps).length)}/${steps}`;
      console.log(`${at}  ${lineOf(names, figures)} nats/token`);
    },
    stop: () => undefined,
  };
}

function lineOf<Name extends string>(
  names: readonly Name[],
  figures?: Readonly<Record<Name, number>>,
): string {
  return names.map((name) => `${name} ${figures?.[name].toFixed(4) ?? '-'}`).join('  ');
}
