// Test data: reproducible, and nasty on purpose.

/** A generator of numbers in [0, 1): mulberry32. The same seed gives the same numbers everywhere. */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** About normal, with no tail beyond ±6. */
export function normal(next: () => number): number {
  let sum = -6;
  for (let k = 0; k < 12; k++) sum += next();
  return sum;
}

type Fill = (classes: number, next: () => number) => (c: number) => number;

/** Kinds of finite row, each hard on a kernel in its own way. */
const FINITE: readonly Fill[] = [
  (_, next) => () => 3 * normal(next),
  // A few logits stand far out.
  (_, next) => () => normal(next) * (next() < 0.05 ? 20 : 1),
  // Ties, at the maximum too.
  (_, next) => () => Math.floor(4 * next()),
  // Masked columns.
  (classes, next) => {
    const kept = Math.floor(classes * next());
    return (c) => (c !== kept && next() < 0.4 ? Number.NEGATIVE_INFINITY : normal(next));
  },
  // A new maximum at every step, so that the running sum is rescaled all the time.
  (classes) => (c) => (c * 40) / classes,
  (classes) => (c) => (-c * 300) / classes,
  // Far from 0, where lse - x would cancel.
  (_, next) => () => 1e4 + normal(next),
  (_, next) => () => (next() < 0.5 ? 1e4 : -1e4) + normal(next),
  // All equal.
  () => () => -7.25,
  // All columns masked but one.
  (classes, next) => {
    const kept = Math.floor(classes * next());
    return (c) => (c === kept ? 0.5 : Number.NEGATIVE_INFINITY);
  },
];

const FLT_MAX = 2 ** 128 - 2 ** 104;

/** Kinds of row at the end of the range, and beyond it: the results of some are infinite or NaN. */
const EXTREME: readonly Fill[] = [
  (_, next) => () => (next() < 0.5 ? 3e38 : -3e38),
  (_, next) => () => [FLT_MAX, -FLT_MAX, 0, 1][Math.floor(4 * next())] as number,
  (classes, next) => {
    const bad = Math.floor(classes * next());
    return (c) => (c === bad ? Number.NaN : normal(next));
  },
  (classes, next) => {
    const bad = Math.floor(classes * next());
    return (c) => (c === bad ? Number.POSITIVE_INFINITY : normal(next));
  },
  () => () => Number.NEGATIVE_INFINITY,
];

/** Rows of all kinds in turn, from kind `first` on; with `extreme`, every other row is an extreme one. */
export function hardLogits(
  rows: number,
  classes: number,
  options: { readonly seed: number; readonly first?: number; readonly extreme?: boolean },
): Float32Array<ArrayBuffer> {
  const { seed, first = 0, extreme = false } = options;
  const next = random(seed);
  const values = new Float32Array(rows * classes);
  for (let r = 0; r < rows; r++) {
    const turn = first + r;
    const fill =
      extreme && turn % 2 === 1
        ? EXTREME[((turn - 1) / 2) % EXTREME.length]
        : FINITE[(extreme ? Math.floor(turn / 2) : turn) % FINITE.length];
    const at = (fill as Fill)(classes, next);
    for (let c = 0; c < classes; c++) values[r * classes + c] = at(c);
  }
  return values;
}

/** An array of about normal numbers. */
export function normals(count: number, seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed);
  return Float32Array.from({ length: count }, () => normal(next));
}

/**
 * Class indices: the row's maximum, its minimum, a random class, the last class and, where `ignore` is given, that, in
 * turn. With `finite`, never a masked class, whose loss would be infinite.
 */
export function hardTargets(
  logits: Float32Array,
  classes: number,
  options: { readonly seed: number; readonly ignore?: number; readonly finite?: boolean },
): Int32Array<ArrayBuffer> {
  const { seed, ignore, finite = false } = options;
  const next = random(seed);
  return Int32Array.from({ length: logits.length / classes }, (_, r) => {
    const row = logits.subarray(r * classes, (r + 1) * classes);
    const turn = r % (ignore === undefined ? 4 : 5);
    if (turn === 4) return ignore as number;
    const top = extremeOf(row, (a, b) => a > b);
    const wanted = [top, extremeOf(row, (a, b) => a < b), Math.floor(next() * classes), classes - 1][turn];
    return finite && row[wanted as number] === Number.NEGATIVE_INFINITY ? top : (wanted as number);
  });
}

/** Target distributions with many exact zeros, and one row in four that does not sum to 1. */
export function hardProbs(rows: number, classes: number, seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed);
  const values = new Float32Array(rows * classes);
  for (let r = 0; r < rows; r++) {
    const row = values.subarray(r * classes, (r + 1) * classes);
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      row[c] = next() < 0.3 ? 0 : next();
      sum += row[c] as number;
    }
    if (sum === 0) row[Math.floor(classes * next())] = sum = 1;
    if (r % 4 !== 3) for (let c = 0; c < classes; c++) row[c] = (row[c] as number) / sum;
  }
  return values;
}

/** Class weights of all sizes: 0, negative ones, and the rest around 1. */
export function hardWeights(classes: number, seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed);
  return Float32Array.from({ length: classes }, (_, c) =>
    c % 7 === 3 ? 0 : c % 11 === 5 ? -next() : 2 * next(),
  );
}

function extremeOf(row: Float32Array, isBetter: (a: number, b: number) => boolean): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if (isBetter(row[c] as number, row[best] as number)) best = c;
  return best;
}
