// Cross-entropy with probability targets t: with q_j = w_j (keep t_j + spread),
//   loss = sum_j q_j (lse - x_j) + z lse^2,   gradient_j = scale (p_j sum q - q_j + 2 z lse p_j),
//   target gradient_j = scale keep w_j (lse - x_j);   softcap and temperature multiply the gradient by their slopes.
alias RowInput = u32;

struct Row {
  distribution: Distribution,
  scale: u32,
  pull: u32,    // gradient_j = pull p_j - factor q_j
  factor: u32,
  loss: u32,
}

fn coefficients(row: u32, c: u32) -> Coefficients {
  let t = load_targets(row, c);
  let w = load_weight(0u, c);
  let spread = bitcast<f32>(flushed(bitcast<u32>(params.spread)));
  let probs = keep4(keep4(params.keep * bitcast<vec4<f32>>(flushed4(t))) + vec4<f32>(spread));
  return coefficients_inside(c, bitcast<vec4<f32>>(flushed4(w)), probs, any_special(t) || any_special(w));
}
fn weight_bits(c: u32) -> u32 { return pick_weight(0u, c); }
fn probability_bits(row: u32, c: u32) -> u32 {
  return ieee_add(ieee_mul(bitcast<u32>(params.keep), pick_targets(row, c)), bitcast<u32>(params.spread));
}

fn row_input(row: u32) -> RowInput { return 0u; }

fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row {
  let d = softmax_finish(stat.softmax);
  let scale = ieee_div(get_gradOutput(row_number(row)), bitcast<u32>(params.divisor));
  if (!key_is_finite(d.top)) { return Row(d, BITS_NAN, BITS_NAN, BITS_NAN, BITS_NAN); }
  let mass = stat_mass(stat);
  let factor = ieee_mul(scale, bitcast<u32>(params.chain));
  var r = Row(d, scale, ieee_mul(factor, mass), factor, twice(stat_half_loss(stat, d.log_sum)));
  if (Z_LOSS) {
    let lse = distribution_lse(d);
    let z_lse = ieee_mul(bitcast<u32>(params.z_loss), lse);
    r.loss = ieee_add(r.loss, ieee_mul(z_lse, lse));
    r.pull = ieee_add(r.pull, ieee_mul(ieee_mul(bitcast<u32>(2.0), z_lse), factor));
  }
  return r;
}

fn row_output(row: u32, r: Row) {
  put_loss(row_number(row), r.loss);
  put_logSumExp(row_number(row), distribution_lse(r.distribution));
}

fn row_store(at: u32, r: Row) {
  distribution_store(at, r.distribution);
  put_handover(at + 3u, r.scale);
  put_handover(at + 4u, r.pull);
  put_handover(at + 5u, r.factor);
}

fn row_load(row: u32) -> Row {
  let at = record_at(row);
  return Row(distribution_load(at), get_handover(at + 3u), get_handover(at + 4u), get_handover(at + 5u), 0u);
}

fn odd_gradient(r: Row, p: vec4<f32>, slope: vec4<f32>, row: u32, c: u32) -> vec4<u32> {
  var g = vec4<u32>();
  for (var i = 0u; i < 4u && c + i < params.classes; i++) {
    let share = ieee_mul(r.factor, ieee_mul(weight_bits(c + i), probability_bits(row, c + i)));
    g[i] = ieee_mul(ieee_sub(ieee_mul(r.pull, bitcast<u32>(p[i])), share), bitcast<u32>(slope[i]));
  }
  return g;
}

fn target_gradient(r: Row, x: vec4<u32>, c: u32) -> vec4<u32> {
  let w = load_weight(0u, c);
  var g = vec4<u32>();
  for (var i = 0u; i < 4u; i++) {
    let factor = ieee_mul(r.scale, ieee_mul(bitcast<u32>(params.keep), w[i]));
    g[i] = twice(ieee_mul(factor, distribution_half_nll(r.distribution, x[i])));
  }
  return g;
}

// In place, the gradient goes over the logits: read first.
fn emit_usual(row: u32, r: Row, c: u32) -> bool {
  let q = coefficients(row, c);
  if (!key_is_finite(r.distribution.top) || is_special(r.factor) || is_special(r.pull) || q.special) { return false; }
  let raw = raw_logits(row, c);
  let x = capped(raw, c);
  var d = keep4(keep4(distribution_p(r.distribution, x) * bitcast<f32>(r.pull)) - keep4(q.values * bitcast<f32>(r.factor)));
  if (SOFTCAP) { d = keep4(d * cap_slope(raw)); }
  store_grad(row, c, keep4_bits(d));
  if (TARGET_GRADIENT) { store_gradTargets(row, c, target_gradient(r, x, c)); }
  return true;
}

fn emit_odd(row: u32, r: Row, c: u32) {
  var g = vec4<u32>(BITS_NAN);
  var h = vec4<u32>(BITS_NAN);
  if (key_is_finite(r.distribution.top) && !is_nan(r.scale)) {
    let raw = raw_logits(row, c);
    let x = capped(raw, c);
    var slope = vec4<f32>(1.0);
    if (SOFTCAP) { slope = cap_slope(raw); }
    g = odd_gradient(r, distribution_p(r.distribution, x), slope, row, c);
    if (TARGET_GRADIENT) { h = target_gradient(r, x, c); }
  }
  store_grad(row, c, g);
  if (TARGET_GRADIENT) { store_gradTargets(row, c, h); }
}
