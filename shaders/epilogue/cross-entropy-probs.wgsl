// Cross-entropy with probability targets t: with q_j = w_j (keep t_j + spread),
//   loss = sum_j q_j (lse - x_j),   gradient_j = scale (p_j sum q - q_j),   target gradient_j = scale keep w_j (lse - x_j).
alias RowInput = u32;

struct Row {
  distribution: Distribution,
  scale: u32,
  mass: u32,
  loss: u32,
}

fn coefficient(t: u32, w: u32) -> u32 {
  return ieee_mul(w, ieee_add(ieee_mul(bitcast<u32>(params.keep), t), bitcast<u32>(params.spread)));
}

fn coefficients(row: u32, c: u32) -> vec4<u32> {
  let t = load_targets(row, c);
  let w = load_weight(0u, c);
  var q: vec4<u32>;
  if (any_special(t) || any_special(w)) {
    q = vec4<u32>(coefficient(t.x, w.x), coefficient(t.y, w.y), coefficient(t.z, w.z), coefficient(t.w, w.w));
  } else {
    q = bitcast<vec4<u32>>(bitcast<vec4<f32>>(w) * (params.keep * bitcast<vec4<f32>>(t) + vec4<f32>(params.spread)));
  }
  return select(vec4<u32>(), q, lanes_inside(c));
}

fn row_input(row: u32) -> RowInput { return 0u; }

fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row {
  let d = softmax_finish(stat.softmax);
  let scale = ieee_div(get_gradOutput(row_number(row)), bitcast<u32>(params.divisor));
  if (!key_is_finite(d.top)) { return Row(d, BITS_NAN, BITS_NAN, BITS_NAN); }
  let mass = stat_mass(stat);
  let half_loss = ieee_add(ieee_mul(mass, bitcast<u32>(0.5 * d.log_sum)), stat_gap(stat));
  var loss = half_loss;
  if (!is_special(half_loss)) { loss = twice(bitcast<f32>(half_loss)); }
  return Row(d, scale, mass, loss);
}

fn row_output(row: u32, r: Row) {
  put_loss(row_number(row), r.loss);
  put_logSumExp(row_number(row), distribution_lse(r.distribution));
}

fn row_store(at: u32, r: Row) {
  distribution_store(at, r.distribution);
  put_records(at + 3u, r.scale);
  put_records(at + 4u, r.mass);
}

fn row_load(row: u32) -> Row {
  let at = row_number(row) * ROW_WORDS;
  return Row(distribution_load(at), get_records(at + 3u), get_records(at + 4u), 0u);
}

fn target_gradient(r: Row, x: u32, w: u32) -> u32 {
  let half = ieee_mul(ieee_mul(r.scale, ieee_mul(bitcast<u32>(params.keep), w)), distribution_half_nll(r.distribution, x));
  if (is_special(half)) { return half; }
  return twice(bitcast<f32>(half));
}

fn emit(row: u32, r: Row, c: u32) {
  if (!key_is_finite(r.distribution.top) || is_nan(r.scale)) {
    store_grad(row, c, vec4<u32>(BITS_NAN));
    store_gradTargets(row, c, vec4<u32>(BITS_NAN));
    return;
  }
  // In place, the gradient goes over the logits: read first.
  let x = load_logits(row, c);
  let q = coefficients(row, c);
  let p = distribution_p(r.distribution, x);
  if (is_special(r.scale) || is_special(r.mass) || any_special(q)) {
    let bits = bitcast<vec4<u32>>(p);
    var g = vec4<u32>();
    for (var i = 0u; i < 4u; i++) { g[i] = ieee_mul(r.scale, ieee_sub(ieee_mul(bits[i], r.mass), q[i])); }
    store_grad(row, c, g);
  } else {
    store_grad(row, c, bitcast<vec4<u32>>((p * bitcast<f32>(r.mass) - bitcast<vec4<f32>>(q)) * bitcast<f32>(r.scale)));
  }
  if (TARGET_GRADIENT) {
    let w = load_weight(0u, c);
    store_gradTargets(row, c, vec4<u32>(
      target_gradient(r, x.x, w.x), target_gradient(r, x.y, w.y), target_gradient(r, x.z, w.z), target_gradient(r, x.w, w.w)
    ));
  }
}
