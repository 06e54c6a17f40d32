import type { PassSummary } from 'webgpu-loss';
import { check } from './check.js';
import type { ClockName } from './clock.js';
import { type Case, type CaseData, type Contender, LeftOut, type Prepared } from './contender.js';
import { type Expectation, expectationOf } from './expectation.js';
import { clockFor, type Measured, type MeasureOptions, measure } from './measure.js';
import { type Quantiles, quantilesOf, ratiosOf } from './quantiles.js';
import { timeOnce } from './work.js';

/** What came of one contender in a case. */
export interface Outcome {
  readonly contender: string;
  /** Worst error / bound; absent for what has no results. */
  readonly errorOverBound?: number;
  /** What it got wrong, or why it failed. It was not timed, then. */
  readonly wrong?: string;
  /** Why it was not timed although nothing is wrong with it. */
  readonly leftOut?: string;
  readonly timing?: Timing;
  readonly firstCallMs?: number;
  /** Microseconds of the host to record one execution. */
  readonly encodeUs?: number;
  readonly passes?: readonly PassSummary[];
  /** Bytes of GPU memory besides inputs and results. */
  readonly scratchBytes?: number;
}

export interface Timing {
  readonly clock: ClockName;
  /** Executions in each sample. */
  readonly batch: number;
  readonly rounds: number;
  /** Milliseconds of one execution. */
  readonly ms: Quantiles;
  /** How many times as fast it is as each of the others: their time / its time. */
  readonly ratios: Readonly<Record<string, Quantiles>>;
}

export interface BenchOptions extends Omit<MeasureOptions, 'clock'> {
  /** Default: the clock of the GPU, where all contenders can be timed by it. */
  readonly clock?: ClockName;
  /** How many times its bound a contender's error may be. Default 1 for all. */
  readonly slackOf?: (contender: string) => number;
  /** What takes longer for one execution is left out. Default: nothing is. */
  readonly patienceMs?: number;
}

interface Entry {
  readonly contender: string;
  readonly prepared: Prepared;
  readonly errorOverBound: number | undefined;
}

/** Correctness first: every contender is checked against the float64 oracle, and those that are right are timed in turn. */
export async function benchCase(
  of: Case,
  data: CaseData,
  contenders: readonly Contender[],
  options: BenchOptions,
): Promise<readonly Outcome[]> {
  const expectations = new Map<number, Expectation>();
  const expectationWith = (gradFilter: number): Expectation => {
    const known = expectations.get(gradFilter) ?? expectationOf(of, data, gradFilter);
    expectations.set(gradFilter, known);
    return known;
  };
  const outcomes: Outcome[] = [];
  const entries: Entry[] = [];
  try {
    for (const contender of contenders) {
      const entry = await admit(of, data, contender, expectationWith, options);
      if (entry === undefined) continue;
      if ('prepared' in entry) entries.push(entry);
      else outcomes.push(entry);
    }
    if (entries.length > 0) outcomes.push(...(await timeEntries(entries, options)));
  } finally {
    for (const { prepared } of entries) prepared.destroy();
  }
  const order = contenders.map(({ name }) => name);
  return outcomes.sort((a, b) => order.indexOf(a.contender) - order.indexOf(b.contender));
}

/** A contender made ready and found right; or what is wrong with it; or undefined where it does not do the case. */
async function admit(
  of: Case,
  data: CaseData,
  { name, gradFilter = 0, prepare }: Contender,
  expectationWith: (gradFilter: number) => Expectation,
  { slackOf = () => 1, patienceMs = Number.POSITIVE_INFINITY }: BenchOptions,
): Promise<Entry | Outcome | undefined> {
  let prepared: Prepared | undefined;
  try {
    prepared = await prepare(of, data);
    if (prepared === undefined) return undefined;
    const results = await prepared.results();
    const verdict = results && check(of, results, expectationWith(gradFilter), slackOf(name));
    const refusal =
      verdict?.wrong === undefined ? await tooSlow(prepared, patienceMs) : { wrong: verdict.wrong };
    if (refusal === undefined) return { contender: name, prepared, errorOverBound: verdict?.worst };
    prepared.destroy();
    return { contender: name, ...refusal };
  } catch (error) {
    prepared?.destroy();
    if (error instanceof LeftOut) return { contender: name, leftOut: error.message };
    return { contender: name, wrong: error instanceof Error ? error.message : String(error) };
  }
}

/** Says so where one execution takes longer than `patienceMs`. */
async function tooSlow(
  prepared: Prepared,
  patienceMs: number,
): Promise<Pick<Outcome, 'leftOut'> | undefined> {
  const ms = await timeOnce(prepared);
  return ms > patienceMs ? { leftOut: `one execution takes ${(ms / 1000).toFixed(1)} s` } : undefined;
}

async function timeEntries(entries: readonly Entry[], options: BenchOptions): Promise<readonly Outcome[]> {
  const all = entries.map(({ prepared }) => prepared);
  const clock = options.clock ?? clockFor(all);
  const measured = await measure(all, { ...options, clock });
  return entries.map(({ contender, prepared, errorOverBound }, k) => {
    const { ms, batch } = measured[k] as Measured;
    const ratios = entries.flatMap((other, j) =>
      j === k ? [] : [[other.contender, ratiosOf(ms, measured[j]?.ms as readonly number[])] as const],
    );
    const encodeUs = prepared.gpu && encodeTime(prepared.gpu);
    return {
      contender,
      timing: { clock, batch, rounds: ms.length, ms: quantilesOf(ms), ratios: Object.fromEntries(ratios) },
      ...(errorOverBound === undefined ? {} : { errorOverBound }),
      ...(encodeUs === undefined ? {} : { encodeUs }),
      ...(prepared.firstCallMs === undefined ? {} : { firstCallMs: prepared.firstCallMs }),
      ...(prepared.passes === undefined ? {} : { passes: prepared.passes }),
      ...(prepared.scratchBytes === undefined ? {} : { scratchBytes: prepared.scratchBytes }),
    };
  });
}

const ENCODES = 20;
const ENCODE_SAMPLES = 11;

/** Microseconds of the host to record one execution, by the median; what is recorded is thrown away. */
function encodeTime({ device, encode }: NonNullable<Prepared['gpu']>): number {
  const pass = device.createCommandEncoder().beginComputePass();
  const samples = Array.from({ length: ENCODE_SAMPLES }, () => {
    const start = performance.now();
    for (let k = 0; k < ENCODES; k++) encode(pass);
    return ((performance.now() - start) * 1000) / ENCODES;
  });
  pass.end();
  return quantilesOf(samples).median;
}
