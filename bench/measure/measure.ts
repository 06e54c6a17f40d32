import { type Clock, type ClockName, timestampClock, wallClock } from './clock.js';
import type { Prepared } from './contender.js';

export interface MeasureOptions {
  /** Samples of each contender, if the budget lasts. */
  readonly rounds: number;
  /** How long one sample should last: executions are batched until it does. */
  readonly sampleMs: number;
  /** Executions in a sample at most, even where it does not last so long. Default 1000; coarse clocks need more. */
  readonly mostBatched?: number;
  /** How long all of them may take together, about. At least `LEAST_ROUNDS` are done in any case. */
  readonly budgetMs: number;
  /** `'timestamps'` is the clock of the GPU, which all of the contenders must be able to be timed by. */
  readonly clock: ClockName;
}

export interface Measured {
  /** Milliseconds of one execution, round by round. */
  readonly ms: readonly number[];
  /** Executions in each sample. */
  readonly batch: number;
}

/** So many that a median leaves out three in which something else had the processor. */
const LEAST_ROUNDS = 7;
const MOST_BATCHED = 1000;
/** From one try to the next: what a coarse clock has not seen at all may have lasted up to its tick. */
const MOST_GROWTH = 10;
/** What lasts as many samples as this is slow, and not kept waiting. */
const MOST_HICCUPS = 50;

/** The best clock that all of `contenders` can be timed by. */
export function clockFor(contenders: readonly Prepared[]): ClockName {
  const devices = new Set(contenders.map(({ gpu }) => gpu?.device));
  const [device] = devices;
  return devices.size === 1 && device?.features.has('timestamp-query') ? 'timestamps' : 'wall';
}

/**
 * Times all contenders in turn, round after round, so that whatever drifts (clock rates, other programs) hits all alike; in an
 * order of its own in each round, so that none always follows the same other one.
 */
export async function measure(
  contenders: readonly Prepared[],
  { rounds, sampleMs, budgetMs, clock, mostBatched = MOST_BATCHED }: MeasureOptions,
): Promise<readonly Measured[]> {
  const device = clock === 'timestamps' ? contenders[0]?.gpu?.device : undefined;
  const stamps = device && timestampClock(device);
  const time = stamps?.clock ?? wallClock;
  try {
    const calibrated: { readonly batch: number; readonly ms: number }[] = [];
    for (const prepared of contenders)
      calibrated.push(await calibrate(prepared, sampleMs, mostBatched, time));
    const roundMs = calibrated.reduce((sum, { batch, ms }) => sum + batch * ms, 0);
    const affordable = Math.min(rounds, Math.max(LEAST_ROUNDS, Math.floor(budgetMs / roundMs)));
    const samples = contenders.map((): number[] => []);
    for (let round = 0; round < affordable; round++) {
      for (const k of orderOf(round, contenders.length)) {
        const { batch } = calibrated[k] as { batch: number };
        samples[k]?.push((await time(contenders[k] as Prepared, batch)) / batch);
      }
    }
    return samples.map((ms, k) => ({ ms, batch: calibrated[k]?.batch as number }));
  } finally {
    stamps?.destroy();
  }
}

/**
 * Whose turn is when: each takes each place, and follows each of the others, equally often, after `count` rounds if it is even,
 * after twice as many if it is odd. E. J. Williams: Experimental designs balanced for the estimation of residual effects of
 * treatments, Australian Journal of Scientific Research A 2 (1949).
 */
export function orderOf(round: number, count: number): readonly number[] {
  // 0, 1, -1, 2, -2, … : no two neighbours are equally far apart, and so no pair comes twice as all are moved on by one.
  const steps = Array.from({ length: count }, (_, k) => (k % 2 === 1 ? (k + 1) / 2 : count - k / 2));
  const order = steps.map((step) => (step + round) % count);
  return Math.floor(round / count) % 2 === 0 ? order : order.toReversed();
}

/** How many executions last `sampleMs`, and how long one of them takes: warms up on the way. */
async function calibrate(
  prepared: Prepared,
  sampleMs: number,
  mostBatched: number,
  time: Clock,
): Promise<{ batch: number; ms: number }> {
  let batch = 1;
  for (;;) {
    let ms = await time(prepared, batch);
    // Another program may have had the processor for a while, and a batch must not be short for that: what lasts is what lasts twice.
    if (ms >= sampleMs / 2 && ms < MOST_HICCUPS * sampleMs) ms = Math.min(ms, await time(prepared, batch));
    if (ms >= sampleMs / 2 || batch >= mostBatched) {
      const wanted = Math.ceil((batch * sampleMs) / Math.max(ms, Number.MIN_VALUE));
      return { batch: Math.min(mostBatched, Math.max(1, wanted)), ms: ms / batch };
    }
    const growth = Math.floor(sampleMs / 2 / Math.max(ms, Number.MIN_VALUE));
    batch = Math.min(mostBatched, batch * Math.min(MOST_GROWTH, Math.max(2, growth)));
  }
}
