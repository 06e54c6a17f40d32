// Hidden states and weights as a trained language model has them: each state points at a few classes, whose logits are far above the rest.
import { random } from '../../test/conformance/data.js';
import type { Case } from './contender.js';
import { normal } from './normal.js';

type Floats = Float32Array<ArrayBuffer>;

export interface Head {
  /** [rows, features] */
  readonly hidden: Floats;
  /** [classes, features] */
  readonly weight: Floats;
  readonly targets: Int32Array<ArrayBuffer>;
}

// A few features of a hidden state are far larger than the others.
const LOUD_FEATURES = 0.05;
const LOUD = 8;
// Logits of the classes that a state points at; those of the others are about normal, with a deviation of 2 or 3.
const LEAST_PULL = 10;
const MOST_PULL = 24;
/** How much less it is for the second and the third of them. */
const STEPS = [0, 3, 6];
// Targets: mostly what the state points at, sometimes anything.
const FIRST = 0.7;
const POINTED_AT = 0.9;
/** Multiplications of one product, and logits, that a float64 check may take: some seconds, and a gigabyte. */
const MOST_CHECKED = 2 ** 31;
const MOST_LOGITS = 2 ** 24;
const LEAST_CONTEXTS = 8;

/**
 * How many rows of a case are distinct: all of them, unless float64 would then take minutes to say what is right. The others repeat them,
 * state and target, in a seeded order.
 */
export function contextCount({ rows, features = 0, classes }: Case): number {
  const most = Math.min(MOST_CHECKED / features, MOST_LOGITS) / classes;
  return Math.min(rows, Math.max(LEAST_CONTEXTS, Math.floor(most)));
}

/** Which of the distinct rows each row is. */
export function contextsOf(of: Case, seed: number): Int32Array<ArrayBuffer> {
  const count = contextCount(of);
  const next = random(seed + 7);
  return Int32Array.from({ length: of.rows }, (_, r) => (r < count ? r : Math.floor(count * next())));
}

export function headOf(of: Case, seed: number): Head {
  const { rows, features = 0, classes } = of;
  const weight = weightsOf(classes, features, seed + 5);
  const count = contextCount(of);
  const states = new Float32Array(count * features);
  const goals = new Int32Array(count);
  const next = random(seed + 6);
  for (let k = 0; k < count; k++) {
    const state = states.subarray(k * features, (k + 1) * features);
    for (let d = 0; d < features; d++) state[d] = normal(next) * (next() < LOUD_FEATURES ? LOUD : 1);
    const pull = LEAST_PULL + (MOST_PULL - LEAST_PULL) * next();
    const pointedAt = STEPS.map(() => Math.floor(classes * next()));
    for (const [i, c] of pointedAt.entries()) {
      raise(state, weight.subarray(c * features, (c + 1) * features), pull - (STEPS[i] as number));
    }
    const chance = next();
    const choice = Math.floor(STEPS.length * next());
    const goal = chance < FIRST ? pointedAt[0] : chance < POINTED_AT ? pointedAt[choice] : undefined;
    goals[k] = goal ?? Math.floor(classes * next());
  }
  const contexts = contextsOf(of, seed);
  const hidden = new Float32Array(rows * features);
  contexts.forEach((k, r) => {
    hidden.set(states.subarray(k * features, (k + 1) * features), r * features);
  });
  return { hidden, weight, targets: Int32Array.from(contexts, (k) => goals[k] as number) };
}

/** A row for each class, of a length of about 1. */
function weightsOf(classes: number, features: number, seed: number): Floats {
  const next = random(seed);
  const scale = 1 / Math.sqrt(features);
  const weight = new Float32Array(classes * features);
  for (let i = 0; i < weight.length; i++) weight[i] = normal(next) * scale;
  return weight;
}

/** Moves a state along the weights of a class until its logit is `pull`. */
function raise(state: Floats, row: Floats, pull: number): void {
  let [dot, square] = [0, 0];
  for (const [d, w] of row.entries()) {
    dot += w * (state[d] as number);
    square += w * w;
  }
  const step = square === 0 ? 0 : (pull - dot) / square;
  for (const [d, w] of row.entries()) state[d] = (state[d] as number) + step * w;
}
