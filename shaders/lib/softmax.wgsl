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

fn softmax_zero() -> Softmax { return Softmax(KEY_NEG_INF, 0.0, 0.0); }

// Smallest key that counts beside `top`. For a huge maximum it is `top` itself: the next float below is further away than REACH.
fn softmax_reach(top: i32) -> i32 {
  if (!TEMPERED) { return order_key(keep_bits(key_value(top) - REACH)); }
  // In halves: at a high temperature the distance is as large as floats are.
  return order_key(keep_bits(2.0 * max(keep(keep(0.5 * key_value(top)) - params.half_reach), -1.7e38)));
}

// Differences of logits as differences of what goes into exp.
fn tempered(gap: f32) -> f32 { return select(gap, keep(gap * params.gap_scale), TEMPERED); }

// exp(value(low) - value(top)) for low <= top.
fn softmax_shrink(low: i32, top: i32) -> f32 {
  return select(0.0, exp_gap(vec4<f32>(tempered(keep(key_value(low) - key_value(top))))).x, low >= softmax_reach(top));
}

fn softmax_terms(x: vec4<u32>, keys: vec4<i32>, top: i32, reach: i32) -> vec4<f32> {
  let counts = (keys >= vec4<i32>(reach)) & (keys < vec4<i32>(top));
  var gaps = keep4(bitcast<vec4<f32>>(x) - vec4<f32>(key_value(top)));
  if (TEMPERED) { gaps = keep4(gaps * params.gap_scale); }
  return select(vec4<f32>(), exp_gap(gaps), counts);
}

fn softmax_ties(keys: vec4<i32>, top: i32) -> vec4<f32> {
  return select(vec4<f32>(), vec4<f32>(1.0), keys == vec4<i32>(top));
}

// Takes in sixteen logits with one rescale. Returns the old maximum's key.
fn softmax_absorb(s: ptr<function, Softmax>, x0: vec4<u32>, x1: vec4<u32>, x2: vec4<u32>, x3: vec4<u32>) -> i32 {
  let k0 = order_keys(x0);
  let k1 = order_keys(x1);
  let k2 = order_keys(x2);
  let k3 = order_keys(x3);
  let before = (*s).top;
  let top = max(before, max4(max(max(k0, k1), max(k2, k3))));
  let reach = softmax_reach(top);
  if (top > before) {
    (*s).rest = keep(hold((*s).rest + (*s).ties) * softmax_shrink(before, top));
    (*s).ties = 0.0;
    (*s).top = top;
  }
  let terms = hold4(
    hold4(softmax_terms(x0, k0, top, reach) + softmax_terms(x1, k1, top, reach))
    + hold4(softmax_terms(x2, k2, top, reach) + softmax_terms(x3, k3, top, reach))
  );
  // Whole numbers, added without rounding in any order.
  let ties = (softmax_ties(k0, top) + softmax_ties(k1, top)) + (softmax_ties(k2, top) + softmax_ties(k3, top));
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
  let keys = order_keys(x);
  let reach = softmax_reach(d.top);
  return keep4(hold4(softmax_terms(x, keys, d.top, reach) + softmax_ties(keys, d.top)) * d.inverse);
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
