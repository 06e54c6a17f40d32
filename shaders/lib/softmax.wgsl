// The running softmax of a row: S = sum exp((x_j - max) / T) = ties + rest. The temperature T is applied to differences of logits, which
// stay in range where x_j / T may not. The terms equal to 1 are counted apart, so that S - 1 keeps its
// digits when one class dominates. A row that holds NaN, +Inf, or only -Inf is known by the key of its maximum; its sums are garbage.
struct Softmax {
  top: i32,   // key of the maximum so far
  ties: f32,  // classes equal to it
  rest: f32,  // sum of exp(x_j - max) over the others
}

// Below this distance from the maximum a term is less than 2^-125.
const REACH: f32 = 87.3;
const BITS_REACH: u32 = 0xc2ae999au; // of -REACH
const BITS_NEG_ZERO: u32 = 0x80000000u;

fn softmax_zero() -> Softmax { return Softmax(KEY_NEG_INF, 0.0, 0.0); }

// (x - top) / T, what goes into exp; never above 0, and -Inf for a masked class.
fn softmax_gaps(x: vec4<u32>, top: f32) -> vec4<f32> {
  if (!TEMPERED) { return keep4(bitcast<vec4<f32>>(x) - vec4<f32>(top)); }
  // In halves: at a high temperature the distance may pass the largest float where the gap does not.
  return keep4(2.0 * keep4(keep4(keep4(0.5 * bitcast<vec4<f32>>(x)) - vec4<f32>(keep(0.5 * top))) * params.gap_scale));
}
fn softmax_gap(x: f32, top: f32) -> f32 {
  if (!TEMPERED) { return keep(x - top); }
  return keep(2.0 * keep(keep(keep(0.5 * x) - keep(0.5 * top)) * params.gap_scale));
}

// Distances from the maximum as what goes into exp.
fn tempered(gap: f32) -> f32 { return select(gap, keep(gap * params.gap_scale), TEMPERED); }

// The bits of floats that are not above 0 order them backwards: 0, -0, then down to -Inf.
fn within_reach(gaps: vec4<f32>) -> vec4<bool> { return bitcast<vec4<u32>>(gaps) <= vec4<u32>(BITS_REACH); }

// exp of gaps; of the maximum itself, 1.
fn softmax_powers(gaps: vec4<f32>) -> vec4<f32> { return select(vec4<f32>(), exp_gap(gaps), within_reach(gaps)); }

// exp of gaps below 0.
fn softmax_terms(gaps: vec4<f32>) -> vec4<f32> {
  let down = bitcast<vec4<u32>>(gaps) - vec4<u32>(BITS_NEG_ZERO + 1u); // wraps around for what is not below 0
  return select(vec4<f32>(), exp_gap(gaps), down <= vec4<u32>(BITS_REACH - BITS_NEG_ZERO - 1u));
}

fn softmax_ties(gaps: vec4<f32>) -> vec4<f32> {
  return select(vec4<f32>(), vec4<f32>(1.0), (bitcast<vec4<u32>>(gaps) & vec4<u32>(BITS_ABS)) == vec4<u32>());
}

// exp((low - top) / T) of two keys, low <= top; 0 for the top of no logits.
fn softmax_shrink(low: i32, top: i32) -> f32 {
  let gap = softmax_gap(key_value(low), key_value(top));
  return select(0.0, exp_gap_of(gap), bitcast<u32>(gap) <= BITS_REACH);
}

// The key of the largest of sixteen logits: floats for the order, integers for what floats cannot be trusted with. Of signed integers
// the largest are NaN and +Inf, of unsigned ones NaN with a sign.
fn largest_key(x0: vec4<u32>, x1: vec4<u32>, x2: vec4<u32>, x3: vec4<u32>) -> i32 {
  let f = max(
    max(bitcast<vec4<f32>>(x0), bitcast<vec4<f32>>(x1)), max(bitcast<vec4<f32>>(x2), bitcast<vec4<f32>>(x3))
  );
  let i = max4(max(
    max(bitcast<vec4<i32>>(x0), bitcast<vec4<i32>>(x1)), max(bitcast<vec4<i32>>(x2), bitcast<vec4<i32>>(x3))
  ));
  let u = max(max(x0, x1), max(x2, x3));
  let finite = order_key(bitcast<u32>(max(max(f.x, f.y), max(f.z, f.w))));
  let nan = i > KEY_INF || max(max(u.x, u.y), max(u.z, u.w)) > BITS_NEG_INF;
  return select(select(finite, KEY_INF, i == KEY_INF), KEY_NAN, nan);
}

// Takes in sixteen logits with one rescale. Returns the old maximum's key.
fn softmax_absorb(s: ptr<function, Softmax>, x0: vec4<u32>, x1: vec4<u32>, x2: vec4<u32>, x3: vec4<u32>) -> i32 {
  let before = (*s).top;
  let top = max(before, largest_key(x0, x1, x2, x3));
  if (top > before) {
    (*s).rest = keep(hold((*s).rest + (*s).ties) * softmax_shrink(before, top));
    (*s).ties = 0.0;
    (*s).top = top;
  }
  let peak = key_value(top);
  let g0 = softmax_gaps(x0, peak);
  let g1 = softmax_gaps(x1, peak);
  let g2 = softmax_gaps(x2, peak);
  let g3 = softmax_gaps(x3, peak);
  let terms = hold4(hold4(softmax_terms(g0) + softmax_terms(g1)) + hold4(softmax_terms(g2) + softmax_terms(g3)));
  // Whole numbers, added without rounding in any order.
  let ties = (softmax_ties(g0) + softmax_ties(g1)) + (softmax_ties(g2) + softmax_ties(g3));
  (*s).rest = hold((*s).rest + sum4(terms));
  (*s).ties = hold((*s).ties + sum4(ties));
  return before;
}

// Commutative to the bit: the operands are ordered by their maximum first.
fn softmax_merge(a: Softmax, b: Softmax) -> Softmax {
  let a_leads = a.top >= b.top;
  let top = select(b.top, a.top, a_leads);
  let high_rest = select(b.rest, a.rest, a_leads);
  let high_ties = select(b.ties, a.ties, a_leads);
  let low_rest = select(a.rest, b.rest, a_leads);
  let low_ties = select(a.ties, b.ties, a_leads);
  let tie = a.top == b.top;
  let shrunk = keep(hold(low_rest + low_ties) * softmax_shrink(min(a.top, b.top), top));
  return Softmax(top, hold(high_ties + select(0.0, low_ties, tie)), hold(high_rest + select(shrunk, low_rest, tie)));
}

// Three words in memory.
fn softmax_store(at: u32, s: Softmax) {
  put_handover(at, bitcast<u32>(s.top));
  put_handover(at + 1u, bitcast<u32>(s.ties));
  put_handover(at + 2u, bitcast<u32>(s.rest));
}

fn softmax_load(at: u32) -> Softmax {
  return Softmax(bitcast<i32>(get_handover(at)), bitcast<f32>(get_handover(at + 1u)), bitcast<f32>(get_handover(at + 2u)));
}

// What a finished row knows; `log_sum` is log S, `inverse` 1 / S.
struct Distribution {
  top: i32,
  log_sum: f32,
  inverse: f32,
}

fn softmax_finish(s: Softmax) -> Distribution {
  if (!key_is_finite(s.top)) { return Distribution(s.top, 0.0, 0.0); }
  let above = softmax_above(s);
  return Distribution(s.top, log_one_plus(above), quotient(1.0, hold(1.0 + above)));
}

// S - 1, with all its digits.
fn softmax_above(s: Softmax) -> f32 { return hold(hold(s.ties - 1.0) + s.rest); }

// Log-sum-exp as bits, special rows included: NaN, +Inf and -Inf stand for themselves.
fn distribution_lse(d: Distribution) -> u32 {
  let special = select(key_bits(d.top), BITS_NAN, d.top > KEY_INF);
  return select(special, keep_bits(tempered(key_value(d.top)) + d.log_sum), key_is_finite(d.top));
}

// p_j; only for a row with a finite maximum.
fn distribution_p(d: Distribution, x: vec4<u32>) -> vec4<f32> {
  return keep4(softmax_powers(softmax_gaps(x, key_value(d.top))) * d.inverse);
}

// -log p_j / 2 = (log S + (max - x_j) / T) / 2 as bits, never lse - x_j, which loses the digits of a small loss; halved, because the
// difference of two floats may pass the largest one. Only for a row with a finite maximum and an x_j that is not above it.
fn distribution_half_nll(d: Distribution, x: u32) -> u32 {
  let half_gap = keep(keep(0.5 * key_value(d.top)) - keep(0.5 * bitcast<f32>(x)));
  let half = keep_bits(keep(0.5 * d.log_sum) + tempered(half_gap));
  return select(half, BITS_INF, x == BITS_NEG_INF);
}

fn distribution_store(at: u32, d: Distribution) {
  put_handover(at, bitcast<u32>(d.top));
  put_handover(at + 1u, bitcast<u32>(d.log_sum));
  put_handover(at + 2u, bitcast<u32>(d.inverse));
}

fn distribution_load(at: u32) -> Distribution {
  return Distribution(bitcast<i32>(get_handover(at)), bitcast<f32>(get_handover(at + 1u)), bitcast<f32>(get_handover(at + 2u)));
}
