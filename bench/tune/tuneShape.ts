import type { Context, Policy } from 'webgpu-loss';
import { casesOf, type Shape } from '../measure/cases.js';
import { check } from '../measure/check.js';
import type { Case, CaseData, OpName, Prepared } from '../measure/contender.js';
import { dataOf } from '../measure/data.js';
import { expectationOf } from '../measure/expectation.js';
import { clockFor, measure } from '../measure/measure.js';
import { type Bindings, type Library, preparePlan, tensorSets } from '../measure/ours.js';
import { type Quantiles, quantilesOf, ratiosOf } from '../measure/quantiles.js';
import type { Rotation } from '../measure/work.js';
import { successiveHalving } from './halving.js';

export interface ShapeTask {
  readonly library: Library;
  readonly context: Context;
  readonly shape: Shape;
  readonly dtype: Case['dtype'];
  readonly ops: readonly OpName[];
  readonly seed: number;
  /** What to begin with. */
  readonly outlines: readonly Partial<Policy>[];
  /** What to make of those that are left. */
  readonly detailed: (policy: Partial<Policy>) => readonly Partial<Policy>[];
  /** Bytes that the sets of buffers in turn have in all. */
  readonly rotate: number;
  /** Called after each outline that is ready or refused. */
  readonly onOutline: () => void;
}

/** A policy, and how many times as fast as the default policy it is: geometric mean over the ops. */
export interface Ranked {
  readonly policy: Partial<Policy>;
  readonly speedup: Quantiles;
  /** What runs for each op. */
  readonly variants: Readonly<Record<string, readonly string[]>>;
}

const FINAL_ROUNDS = 15;
const SAMPLE_MS = 2;

/** The policies that are best for rows of a length, the best first; the default policy is among them as `{}`. */
export async function tuneShape(task: ShapeTask): Promise<readonly Ranked[]> {
  const trial = new Trial(task);
  const halve = (entries: readonly Entry[]): Promise<readonly Entry[]> =>
    successiveHalving(entries, async (left, effort) =>
      (await trial.times(left, effort)).map((rounds) => quantilesOf(rounds).median),
    );
  try {
    const standard = (await trial.prepare({})) as Entry;
    const outlines: Entry[] = [];
    for (const policy of task.outlines) {
      const entry = await trial.prepare(policy);
      if (entry !== undefined) outlines.push(entry);
      task.onOutline();
    }
    const left = [...(await halve(outlines))];
    for (const policy of left.map((entry) => entry.policy).flatMap(task.detailed)) {
      const entry = await trial.prepare(policy);
      if (entry !== undefined) left.push(entry);
    }
    const finalists = [standard, ...(await halve(left))];
    for (const entry of finalists) await trial.check(entry);
    const times = await trial.times(finalists, FINAL_ROUNDS);
    return finalists
      .map((entry, k) => ({
        policy: entry.policy,
        speedup: ratiosOf(times[k] as readonly number[], times[0] as readonly number[]),
        variants: trial.variantsOf(entry),
      }))
      .sort((a, b) => b.speedup.median - a.speedup.median);
  } finally {
    trial.destroy();
  }
}

/** A policy made ready for each op. */
interface Entry {
  readonly policy: Partial<Policy>;
  readonly prepared: readonly Prepared[];
}

/** An op on a shape, and its tensors, which all policies share. */
interface Station {
  readonly of: Case;
  readonly data: CaseData;
  readonly sets: Rotation<Bindings>;
}

/** One shape, on which policies are tried. */
class Trial {
  readonly #library: Library;
  readonly #context: Context;
  readonly #stations: readonly Station[];
  readonly #entries: Entry[] = [];
  readonly #known = new Set<string>();

  constructor({ library, context, shape, dtype, ops, seed, rotate }: ShapeTask) {
    this.#library = library;
    this.#context = context;
    this.#stations = casesOf(ops, [shape], [dtype]).map((of) => {
      const data = dataOf(of, seed);
      return { of, data, sets: tensorSets(context, of, data, rotate) };
    });
  }

  /** Undefined for a policy that the library refuses here, or under which the same runs as under an earlier one. */
  async prepare(policy: Partial<Policy>): Promise<Entry | undefined> {
    const prepared = await this.#plans(policy);
    const runs = JSON.stringify(prepared.map(({ passes }) => passes));
    if (prepared.length === 0 || this.#known.has(runs)) {
      for (const each of prepared) each.destroy();
      return undefined;
    }
    this.#known.add(runs);
    const entry = { policy, prepared };
    this.#entries.push(entry);
    return entry;
  }

  async #plans(policy: Partial<Policy>): Promise<Prepared[]> {
    const { InvalidArgumentError, LimitExceededError } = this.#library;
    const prepared: Prepared[] = [];
    try {
      for (const { of, sets } of this.#stations) {
        prepared.push(await preparePlan(this.#library, this.#context, of, sets, { policy }));
      }
      return prepared;
    } catch (error) {
      for (const each of prepared) each.destroy();
      if (error instanceof InvalidArgumentError || error instanceof LimitExceededError) return [];
      throw error;
    }
  }

  /** Times of each entry, round by round: geometric mean over the ops. */
  async times(entries: readonly Entry[], rounds: number): Promise<readonly (readonly number[])[]> {
    const all = entries.flatMap(({ prepared }) => prepared);
    const budgetMs = Number.POSITIVE_INFINITY;
    const measured = await measure(all, { rounds, sampleMs: SAMPLE_MS, budgetMs, clock: clockFor(all) });
    const ops = this.#stations.length;
    return entries.map((_, k) => {
      const own = measured.slice(k * ops, (k + 1) * ops).map(({ ms }) => ms);
      return Array.from({ length: rounds }, (_, round) =>
        Math.exp(own.reduce((sum, ms) => sum + Math.log(ms[round] as number), 0) / ops),
      );
    });
  }

  /** A policy that is wrong must not win: it is a fault of the library. */
  async check({ policy, prepared }: Entry): Promise<void> {
    for (const [k, { of, data }] of this.#stations.entries()) {
      const each = prepared[k] as Prepared;
      await each.submit(1);
      const { wrong } = check(of, (await each.results()) ?? {}, expectationOf(of, data));
      if (wrong !== undefined) throw new Error(`${of.op} under ${JSON.stringify(policy)} is wrong: ${wrong}`);
    }
  }

  variantsOf({ prepared }: Entry): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries(
      this.#stations.map(({ of }, k) => [of.op, (prepared[k]?.passes ?? []).map(({ variant }) => variant)]),
    );
  }

  destroy(): void {
    for (const { prepared } of this.#entries) for (const each of prepared) each.destroy();
    for (const { sets } of this.#stations) {
      for (const set of sets.all) for (const tensor of Object.values(set)) tensor.destroy();
    }
  }
}
