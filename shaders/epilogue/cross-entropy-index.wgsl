// Cross-entropy with class-index targets: with q_j = keep w_t [j = t] + spread w_j (spread is 0 without label smoothing),
//   loss = sum_j q_j (lse - x_j) + z lse^2,   gradient_j = scale (p_j sum q - q_j) + 2 z lse p_j z_scale,
// where the scales are the upstream gradient over the divisor of a mean; softcap and temperature multiply the gradient by their slopes.
struct RowInput {
  hit: u32,    // the target
  logit: u32,  // the logit there
  slope: f32,  // the slope of the soft cap there
}

struct Row {
  distribution: Distribution,
  state: u32,
  pull: u32,    // gradient_j = pull p_j - factor spread w_j, as bits, where j is not the target
  factor: u32,
  hit_gradient: u32, // the gradient there
  hit: u32,
  loss: u32,
}

const ROW_USUAL: u32 = 0u;
const ROW_IGNORED: u32 = 1u;
const ROW_NAN: u32 = 2u;
const ROW_SPECIAL: u32 = 3u; // an upstream gradient or a weight is infinite

fn row_input(row: u32) -> RowInput {
  let hit = get_targets(row_number(row));
  if (hit >= params.classes) { return RowInput(hit, BITS_NAN, 1.0); }
  return RowInput(hit, logit_of(row, hit), slope_at(row, hit));
}

// The smoothing's share of q, spread w_j, the same for every target.
fn coefficients(row: u32, c: u32) -> Coefficients {
  let w = load_weight(0u, c);
  return coefficients_inside(c, bitcast<vec4<f32>>(flushed4(w)), vec4<f32>(bitcast<f32>(probability_bits(row, c))), any_special(w));
}
fn weight_bits(c: u32) -> u32 { return pick_weight(0u, c); }
fn probability_bits(row: u32, c: u32) -> u32 { return flushed(bitcast<u32>(params.spread)); }

fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row {
  let d = softmax_finish(stat.softmax);
  var r = Row(d, ROW_USUAL, 0u, 0u, 0u, input.hit, 0u);
  if (is_ignored(input.hit)) {
    r.state = ROW_IGNORED;
    return r;
  }
  if (input.hit >= params.classes || !key_is_finite(d.top)) {
    r.state = ROW_NAN;
    r.loss = BITS_NAN;
    return r;
  }
  let weight = pick_weight(0u, input.hit);
  let upstream = get_gradOutput(row_number(row));
  let scale = ieee_mul(ieee_div(upstream, get_census(1u)), bitcast<u32>(params.chain));
  let half_nll = distribution_half_nll(d, input.logit);
  let p = bitcast<u32>(distribution_p(d, vec4<u32>(input.logit)).x);
  var half_loss: u32;
  if (SMOOTHING) {
    let own = ieee_mul(bitcast<u32>(params.keep), weight);
    // With all of the target spread, nothing of it is left at the class: 0 log 0 = 0.
    let kept = select(ieee_mul(own, half_nll), 0u, params.keep == 0.0);
    half_loss = ieee_add(kept, stat_half_loss(stat, d.log_sum));
    r.factor = scale;
    r.pull = ieee_mul(scale, ieee_add(own, stat_mass(stat)));
    let share = ieee_add(own, ieee_mul(weight, bitcast<u32>(params.spread)));
    r.hit_gradient = ieee_sub(ieee_mul(r.pull, p), ieee_mul(scale, share));
  } else {
    half_loss = ieee_mul(weight, half_nll);
    r.factor = ieee_mul(scale, weight);
    r.pull = r.factor;
    // p - 1; where the target is the maximum, 1 - S over S keeps the digits that p - 1 loses.
    let leads = softmax_gap(bitcast<f32>(input.logit), key_value(d.top)) == 0.0;
    let excess = select(keep(bitcast<f32>(p) - 1.0), keep(-softmax_above(stat.softmax) * d.inverse), leads);
    r.hit_gradient = select(ieee_mul(r.factor, bitcast<u32>(excess)), BITS_NAN, is_special(r.factor));
  }
  r.loss = twice(half_loss);
  if (Z_LOSS) {
    let lse = distribution_lse(d);
    let z_lse = ieee_mul(bitcast<u32>(params.z_loss), lse);
    // The mean divides cross-entropies by their weight and z-losses by their number; the sum of both is divided by the weight.
    r.loss = ieee_add(r.loss, ieee_mul(ieee_mul(z_lse, lse), ieee_div(get_census(1u), get_census(0u))));
    let z_scale = ieee_mul(ieee_div(upstream, get_census(0u)), bitcast<u32>(params.chain));
    let z_pull = ieee_mul(ieee_mul(bitcast<u32>(2.0), z_lse), z_scale);
    r.pull = ieee_add(r.pull, z_pull);
    r.hit_gradient = ieee_add(r.hit_gradient, ieee_mul(z_pull, p));
  }
  if (is_nan(r.factor) || is_nan(r.pull)) {
    r.state = ROW_NAN;
  } else if (is_inf(r.factor) || is_inf(r.pull) || is_special(r.hit_gradient)) {
    r.state = ROW_SPECIAL;
  }
  if (SOFTCAP) { r.hit_gradient = ieee_mul(r.hit_gradient, bitcast<u32>(input.slope)); }
  // The logit is not at hand; one that is not finite is the safe guess.
  r.hit_gradient = filtered(vec4<u32>(r.hit_gradient), r, vec4<u32>(BITS_NAN)).x;
  return r;
}

// What is small beside the factor of p_j, which is that of the whole row, counts as 0; NaN and infinities never do. A product may skip 0,
// but not -0: what stands there where the logit is not finite, for then an operand of the product is not either, and 0 times that is NaN.
fn filtered(g: vec4<u32>, r: Row, x: vec4<u32>) -> vec4<u32> {
  if (!GRAD_FILTER) { return g; }
  let least = min(ieee_mul(r.pull, bitcast<u32>(params.grad_filter)) & BITS_ABS, BITS_INF - 1u);
  let zero = select(vec4<u32>(), vec4<u32>(0x80000000u), (x & vec4<u32>(BITS_ABS)) >= vec4<u32>(BITS_INF));
  return select(g, zero, (g & vec4<u32>(BITS_ABS)) <= vec4<u32>(least));
}

fn row_output(row: u32, r: Row) {
  put_loss(row_number(row), r.loss);
  put_logSumExp(row_number(row), distribution_lse(r.distribution));
}

fn row_store(at: u32, r: Row) {
  distribution_store(at, r.distribution);
  put_handover(at + 3u, r.state);
  put_handover(at + 4u, r.pull);
  put_handover(at + 5u, r.factor);
  put_handover(at + 6u, r.hit_gradient);
  put_handover(at + 7u, r.hit);
}

fn row_load(row: u32) -> Row {
  let at = record_at(row);
  return Row(
    distribution_load(at), get_handover(at + 3u), get_handover(at + 4u), get_handover(at + 5u), get_handover(at + 6u),
    get_handover(at + 7u), 0u
  );
}

// IEEE arithmetic, term by term as automatic differentiation would: an infinite upstream gives NaN where Inf - Inf or 0 Inf meet.
fn special_gradient(r: Row, row: u32, c: u32, p: f32, slope: f32) -> u32 {
  var pull = ieee_mul(r.pull, bitcast<u32>(p));
  if (SMOOTHING) { pull = ieee_sub(pull, ieee_mul(r.factor, ieee_mul(weight_bits(c), probability_bits(row, c)))); }
  return ieee_mul(pull, bitcast<u32>(slope));
}

fn row_is_usual(r: Row) -> bool { return r.state == ROW_USUAL; }

// In place, the gradient goes over the logits: read first.
fn emit(row: u32, r: Row, c: u32) { emit_raw(row, r, c, raw_logits(row, c)); }
fn emit_raw(row: u32, r: Row, c: u32, x: vec4<u32>) {
  var d = keep4(distribution_p(r.distribution, capped(x, c)) * bitcast<f32>(r.pull));
  if (SMOOTHING) { d = keep4(d - keep4(coefficients(row, c).values * bitcast<f32>(r.factor))); }
  if (SOFTCAP) { d = keep4(d * cap_slope(x)); }
  store_grad(row, c, filtered(keep4_bits(d), r, x));
}

fn emit_odd(row: u32, r: Row, c: u32) {
  var g = vec4<u32>(select(0u, BITS_NAN, r.state == ROW_NAN));
  if (r.state == ROW_SPECIAL) {
    let x = raw_logits(row, c);
    let p = distribution_p(r.distribution, capped(x, c));
    var slope = vec4<f32>(1.0);
    if (SOFTCAP) { slope = cap_slope(x); }
    for (var i = 0u; i < 4u; i++) { g[i] = special_gradient(r, row, c + i, p[i], slope[i]); }
    g = filtered(g, r, x);
  }
  store_grad(row, c, g);
}

fn row_hit(r: Row) -> u32 { return select(NO_CLASS, r.hit, r.state == ROW_USUAL || r.state == ROW_SPECIAL); }
fn emit_hit(row: u32, r: Row) { poke_grad(row, r.hit, r.hit_gradient); }
