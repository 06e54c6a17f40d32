import type { Context, Policy } from 'webgpu-loss';
import { casesOf, type Shape } from '../measure/cases.js';
import { check } from '../measure/check.js';
import type { Case, OpName, Prepared } from '../measure/contender.js';
import { dataOf } from '../measure/data.js';
import { expectationOf } from '../measure/expectation.js';
import { clockFor, measure } from '../measure/measure.js';
import { type Bindings, type Library, preparePlan, tensorSets } from '../measure/ours.js';
import { type Quantiles, quantilesOf } from '../measure/quantiles.js';
import type { Rotation } from '../measure/work.js';
import { successiveHalving } from './halving.js';

export interface ShapeTask {
  readonly library: Library;
  readonly context: Context;
  readonly shape: Shape;
  readonly dtype: Case['dtype'];
  readonly ops: readonly OpName[];
  readonly seed: number;
  readonly candidates: readonly Partial<Policy>[];
  /** Bytes that the sets of buffers in turn have in all. */
  readonly rotate: number;
  /** Called after each candidate that is ready or refused. */
  readonly onCandidate: () => void;
}

/** A policy, and how many times as fast as the default policy it is: geometric mean over the ops. */
export interface Ranked {
  readonly policy: Partial<Policy>;
  readonly speedup: Quantiles;
  /** What runs for each op. */
  readonly variants: Readonly<Record<string, readonly string[]>>;
}

/** An op on a shape, and its tensors, which all policies share. */
interface Stage {
  readonly of: Case;
  readonly sets: Rotation<Bindings>;
  readonly data: ReturnType<typeof dataOf>;
}

/** A policy made ready for each op. */
interface Entry {
  readonly policy: Partial<Policy>;
  readonly prepared: readonly Prepared[];
}

/** The policies that are best for rows of a length, the best first; the default policy is among them as `{}`. */
export async function tuneShape(task: ShapeTask): Promise<readonly Ranked[]> {
  const { context, ops, shape, dtype, seed, rotate } = task;
  const stages = casesOf(ops, [shape], [dtype]).map((of): Stage => {
    const data = dataOf(of, seed);
    return { of, data, sets: tensorSets(context, of, data, rotate) };
  });
  const entries: Entry[] = [];
  try {
    await prepareAll(task, stages, entries);
    const [standard, ...others] = entries as [Entry, ...Entry[]];
    const best = await successiveHalving(others, async (left, effort) =>
      (await timesOf(left, effort)).map((rounds) => quantilesOf(rounds).median),
    );
    const finalists = [standard, ...best];
    for (const entry of finalists) await checkEntry(entry, stages);
    const times = await timesOf(finalists, FINAL_ROUNDS);
    const base = times[0] as readonly number[];
    return finalists
      .map(({ policy, prepared }, k) => ({
        policy,
        speedup: quantilesOf(
          (times[k] as readonly number[]).map((ms, round) => (base[round] as number) / ms),
        ),
        variants: Object.fromEntries(
          stages.map(({ of }, j) => [of.op, (prepared[j]?.passes ?? []).map(({ variant }) => variant)]),
        ),
      }))
      .sort((a, b) => b.speedup.median - a.speedup.median);
  } finally {
    for (const { prepared } of entries) for (const each of prepared) each.destroy();
    for (const { sets } of stages)
      for (const set of sets.all) for (const tensor of Object.values(set)) tensor.destroy();
  }
}

const FINAL_ROUNDS = 15;

/** Makes the default policy ready, and every candidate that is not refused and does not run the same as an earlier one. */
async function prepareAll(task: ShapeTask, stages: readonly Stage[], entries: Entry[]): Promise<void> {
  const { library, context, candidates, onCandidate } = task;
  const known = new Set<string>();
  for (const policy of [{}, ...candidates]) {
    const prepared: Prepared[] = [];
    try {
      for (const { of, sets } of stages) prepared.push(await preparePlan(library, context, of, sets, policy));
    } catch (error) {
      for (const each of prepared) each.destroy();
      const { InvalidArgumentError, LimitExceededError } = library;
      if (!(error instanceof InvalidArgumentError || error instanceof LimitExceededError)) throw error;
      prepared.length = 0;
    }
    onCandidate();
    if (prepared.length === 0) continue;
    const runs = JSON.stringify(prepared.map(({ passes }) => passes));
    if (known.has(runs)) for (const each of prepared) each.destroy();
    else entries.push({ policy, prepared });
    known.add(runs);
  }
}

/** Times of each entry, round by round: geometric mean over the ops. */
async function timesOf(entries: readonly Entry[], rounds: number): Promise<readonly (readonly number[])[]> {
  const all = entries.flatMap(({ prepared }) => prepared);
  const options = { rounds, sampleMs: 2, budgetMs: Number.POSITIVE_INFINITY, clock: clockFor(all) };
  const measured = await measure(all, options);
  const ops = all.length / entries.length;
  return entries.map((_, k) => {
    const own = measured.slice(k * ops, (k + 1) * ops).map(({ ms }) => ms);
    return Array.from({ length: rounds }, (_, round) =>
      Math.exp(own.reduce((sum, ms) => sum + Math.log(ms[round] as number), 0) / ops),
    );
  });
}

/** A policy that is wrong must not win: it is a fault of the library. */
async function checkEntry({ policy, prepared }: Entry, stages: readonly Stage[]): Promise<void> {
  for (const [k, { of, data }] of stages.entries()) {
    const each = prepared[k] as Prepared;
    await each.submit(1);
    const { wrong } = check(of, (await each.results()) ?? {}, expectationOf(of, data));
    if (wrong !== undefined) throw new Error(`${of.op} under ${JSON.stringify(policy)} is wrong: ${wrong}`);
  }
}
