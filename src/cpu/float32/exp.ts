// exp of whole rows of float32 logits, from a table of exp at multiples of 1/128 and a parabola between them. The arithmetic is float64;
// the relative error is below 2^-26, a quarter of a rounding to float32.
//
// For a logit x and a shift s, 128 (s - x) is k + r with k whole and |r| <= 1/2, and but for the third order in r / 128
//
//     exp(x - s) = exp(-k / 128) exp(-r / 128) = exp(-k / 128) ((r - 128)^2 + 128^2) / (2 * 128^2)
//
// What lies off the table is clamped to its ends: a branch taken once in a million elements would be compiled before it has been seen to
// run, and the compiled code thrown away when it does.

/** Steps of the table for each unit of a logit; 128 is exact at 0, so that exp(0) is exactly 1. */
export const STEPS = 128;
/** How far above the shift a logit may be: neither exp of it nor the sum of a row overflows. From there on exp counts as infinite. */
const ABOVE = 80;
/** How far below: from there on exp counts as 0, just before it is subnormal in float32. */
const BELOW = 87.25;

const table: Float64Array = /* @__PURE__ */ makeTable();
const cell: Float64Array = /* @__PURE__ */ new Float64Array(1);
/** The low word of `cell`, where the whole part of a number is that has had 2^52 added. */
const low: Int32Array = /* @__PURE__ */ lowWord(cell);

/** exp(-k / 128) / (2 * 128^2) for k from -80 * 128 on. */
function makeTable(): Float64Array {
  const values = new Float64Array((ABOVE + BELOW) * STEPS + 1);
  for (let i = 0; i < values.length; i++) values[i] = Math.exp(ABOVE - i / STEPS) / (2 * STEPS * STEPS);
  values[0] = Number.POSITIVE_INFINITY;
  values[values.length - 1] = 0;
  return values;
}

function lowWord(of: Float64Array): Int32Array {
  const words = new Int32Array(of.buffer);
  of[0] = 2 ** 52 + 1;
  return words[0] === 1 ? words : words.subarray(1);
}

/**
 * exp(-t / 128), or NaN for NaN. Numbers are written out, and the arrays handed in: in a loop that the compiler takes over while it runs,
 * what belongs to the module is loaded and checked again for each element.
 */
function expOf(t: number, values: Float64Array, whole: Float64Array, word: Int32Array): number {
  const near = t > 11168 ? 11168 : t < -10240 ? -10240 : t;
  // 1.5 * 2^52 leaves no digits behind the point, and 10240 is the place of k = 0.
  const place = near + 6755399441065984;
  whole[0] = place;
  // r - 128
  const root = near - (place - 6755399441065856);
  return (values[word[0] as number] as number) * (root * root + 16384);
}

/**
 * Writes exp((x_i - shift) scale / 128) for `from <= i < to`, in place or not, and returns the sum. It is NaN if a logit is, and infinite
 * if one is too far above the shift.
 */
export function expRow(
  x: Float32Array,
  from: number,
  to: number,
  shift: number,
  scale: number,
  out: Float32Array,
): number {
  const values = table;
  const whole = cell;
  const word = low;
  let sum = 0;
  let i = from;
  for (; (to - i) & 3; i++) {
    const e = expOf((shift - (x[i] as number)) * scale, values, whole, word);
    out[i] = e;
    sum += e;
  }
  for (; i < to; i += 4) {
    const a = expOf((shift - (x[i] as number)) * scale, values, whole, word);
    const b = expOf((shift - (x[i + 1] as number)) * scale, values, whole, word);
    const c = expOf((shift - (x[i + 2] as number)) * scale, values, whole, word);
    const d = expOf((shift - (x[i + 3] as number)) * scale, values, whole, word);
    out[i] = a;
    out[i + 1] = b;
    out[i + 2] = c;
    out[i + 3] = d;
    sum += a + b + (c + d);
  }
  return sum;
}

/** The sum that `expRow` returns, without writing. */
export function expSum(x: Float32Array, from: number, to: number, shift: number, scale: number): number {
  const values = table;
  const whole = cell;
  const word = low;
  let sum = 0;
  let i = from;
  for (; (to - i) & 3; i++) sum += expOf((shift - (x[i] as number)) * scale, values, whole, word);
  for (; i < to; i += 4) {
    sum +=
      expOf((shift - (x[i] as number)) * scale, values, whole, word) +
      expOf((shift - (x[i + 1] as number)) * scale, values, whole, word) +
      (expOf((shift - (x[i + 2] as number)) * scale, values, whole, word) +
        expOf((shift - (x[i + 3] as number)) * scale, values, whole, word));
  }
  return sum;
}
