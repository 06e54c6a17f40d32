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

/*
 * The loops below say everything themselves, with numbers written out: how much a compiler puts in place of calls depends on who calls,
 * and what belongs to the module is, in a loop that it takes over while it runs, loaded and checked again for each element.
 */

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
    const t = (shift - (x[i] as number)) * scale;
    // Clamped to the table; a NaN stays.
    const near = t > 11168 ? 11168 : t < -10240 ? -10240 : t;
    // 1.5 * 2^52 leaves no digits behind the point, and 10240 is the place of k = 0.
    const place = near + 6755399441065984;
    whole[0] = place;
    // r - 128
    const root = near - (place - 6755399441065856);
    const e = (values[word[0] as number] as number) * (root * root + 16384);
    out[i] = e;
    sum += e;
  }
  for (; i < to; i += 4) {
    const tA = (shift - (x[i] as number)) * scale;
    const nearA = tA > 11168 ? 11168 : tA < -10240 ? -10240 : tA;
    const placeA = nearA + 6755399441065984;
    whole[0] = placeA;
    const rootA = nearA - (placeA - 6755399441065856);
    const eA = (values[word[0] as number] as number) * (rootA * rootA + 16384);
    const tB = (shift - (x[i + 1] as number)) * scale;
    const nearB = tB > 11168 ? 11168 : tB < -10240 ? -10240 : tB;
    const placeB = nearB + 6755399441065984;
    whole[0] = placeB;
    const rootB = nearB - (placeB - 6755399441065856);
    const eB = (values[word[0] as number] as number) * (rootB * rootB + 16384);
    const tC = (shift - (x[i + 2] as number)) * scale;
    const nearC = tC > 11168 ? 11168 : tC < -10240 ? -10240 : tC;
    const placeC = nearC + 6755399441065984;
    whole[0] = placeC;
    const rootC = nearC - (placeC - 6755399441065856);
    const eC = (values[word[0] as number] as number) * (rootC * rootC + 16384);
    const tD = (shift - (x[i + 3] as number)) * scale;
    const nearD = tD > 11168 ? 11168 : tD < -10240 ? -10240 : tD;
    const placeD = nearD + 6755399441065984;
    whole[0] = placeD;
    const rootD = nearD - (placeD - 6755399441065856);
    const eD = (values[word[0] as number] as number) * (rootD * rootD + 16384);
    out[i] = eA;
    out[i + 1] = eB;
    out[i + 2] = eC;
    out[i + 3] = eD;
    sum += eA + eB + (eC + eD);
  }
  return sum;
}

/** The sum that `expRow` returns, without writing. */
export function expSum(x: Float32Array, from: number, to: number, shift: number, scale: number): number {
  const values = table;
  const whole = cell;
  const word = low;
  let sum = 0;
  for (let i = from; i < to; i++) {
    const t = (shift - (x[i] as number)) * scale;
    const near = t > 11168 ? 11168 : t < -10240 ? -10240 : t;
    const place = near + 6755399441065984;
    whole[0] = place;
    const root = near - (place - 6755399441065856);
    const e = (values[word[0] as number] as number) * (root * root + 16384);
    sum += e;
  }
  return sum;
}
