import { Bench, type BenchOptions } from 'tinybench';

/** Microseconds. */
export interface Figures {
  readonly p50: number;
  readonly p75: number;
  readonly p99: number;
  readonly samples: number;
}

const MICROSECONDS = 1e3;

function optionsFor(timeMs: number): BenchOptions {
  return { time: timeMs, warmupTime: timeMs, subtractTimerOverhead: true, throws: true };
}

/** Times `step`, of a few microseconds; `prepare` runs before each and does not count. */
export function timeSync(timeMs: number, { prepare, step }: { prepare?(): void; step(): void }): Figures {
  const bench = new Bench(optionsFor(timeMs));
  bench.add('step', step, { async: false, ...(prepare && { beforeEach: prepare }) });
  bench.runSync();
  return figuresOf(bench);
}

/** Times what `step` promises; `settle` runs after each and does not count. */
export async function timeAsync(
  timeMs: number,
  { step, settle }: { step(): Promise<unknown>; settle(): Promise<void> },
): Promise<Figures> {
  const bench = new Bench(optionsFor(timeMs));
  bench.add('call', step, { async: true, afterEach: settle });
  await bench.run();
  return figuresOf(bench);
}

function figuresOf({ tasks }: Bench): Figures {
  const [result] = tasks.map((task) => task.result);
  if (result?.state !== 'completed') throw new Error(`the measurement ended as '${result?.state}'`);
  const { p50, p75, p99, samplesCount } = result.latency;
  return {
    p50: p50 * MICROSECONDS,
    p75: p75 * MICROSECONDS,
    p99: p99 * MICROSECONDS,
    samples: samplesCount,
  };
}
