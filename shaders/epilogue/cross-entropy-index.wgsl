// Cross-entropy with class-index targets: with q_j = keep w_t [j = t] + spread w_j (spread is 0 without label smoothing),
//   loss = sum_j q_j (lse - x_j),   gradient_j = scale (p_j sum q - q_j),   scale = upstream / divisor.
struct RowInput {
  hit: u32,    // the target
  logit: u32,  // the logit there
}

struct Row {
  distribution: Distribution,
  state: u32,
  factor: u32,  // gradient_j = factor (mass p_j - hit_weight [j = hit] - spread w_j), all as bits
  mass: u32,
  hit_weight: u32,
  hit: u32,
  loss: u32,
}

const ROW_USUAL: u32 = 0u;
const ROW_IGNORED: u32 = 1u;
const ROW_NAN: u32 = 2u;
const ROW_SPECIAL: u32 = 3u; // an upstream gradient or a weight is infinite

fn row_input(row: u32) -> RowInput {
  let hit = get_targets(row_number(row));
  if (hit >= params.classes) { return RowInput(hit, BITS_NAN); }
  return RowInput(hit, pick_logits(row, hit));
}

// The smoothing's share of q, spread w_j, the same for every target.
fn coefficients(row: u32, c: u32) -> Coefficients {
  let w = load_weight(0u, c);
  return coefficients_inside(c, bitcast<vec4<f32>>(w), vec4<f32>(params.spread), any_special(w));
}
fn weight_bits(c: u32) -> u32 { return pick_weight(0u, c); }
fn probability_bits(row: u32, c: u32) -> u32 { return bitcast<u32>(params.spread); }

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
  let scale = ieee_div(get_gradOutput(row_number(row)), get_census(1u));
  let half_nll = distribution_half_nll(d, input.logit);
  var half_loss: u32;
  if (SMOOTHING) {
    let keep = ieee_mul(bitcast<u32>(params.keep), weight);
    let half_spread = ieee_add(ieee_mul(stat_mass(stat), bitcast<u32>(0.5 * d.log_sum)), stat_gap(stat));
    half_loss = ieee_add(ieee_mul(keep, half_nll), half_spread);
    r.factor = scale;
    r.mass = ieee_add(keep, stat_mass(stat));
    r.hit_weight = keep;
  } else {
    half_loss = ieee_mul(weight, half_nll);
    r.factor = ieee_mul(scale, weight);
    r.mass = bitcast<u32>(1.0);
    r.hit_weight = bitcast<u32>(1.0);
  }
  r.loss = twice(half_loss);
  if (is_nan(r.factor) || is_nan(r.mass)) {
    r.state = ROW_NAN;
  } else if (is_inf(r.factor) || is_inf(r.mass)) {
    r.state = ROW_SPECIAL;
  }
  return r;
}

fn row_output(row: u32, r: Row) {
  put_loss(row_number(row), r.loss);
  put_logSumExp(row_number(row), distribution_lse(r.distribution));
}

fn row_store(at: u32, r: Row) {
  distribution_store(at, r.distribution);
  put_records(at + 3u, r.state);
  put_records(at + 4u, r.factor);
  put_records(at + 5u, r.mass);
  put_records(at + 6u, r.hit_weight);
  put_records(at + 7u, r.hit);
}

fn row_load(row: u32) -> Row {
  let at = row_number(row) * ROW_WORDS;
  return Row(
    distribution_load(at), get_records(at + 3u), get_records(at + 4u), get_records(at + 5u), get_records(at + 6u),
    get_records(at + 7u), 0u
  );
}

// IEEE arithmetic, term by term as automatic differentiation would: an infinite upstream gives NaN where Inf - Inf or 0 Inf meet.
fn special_gradient(r: Row, row: u32, c: u32, p: f32) -> u32 {
  var g = ieee_mul(r.factor, ieee_mul(bitcast<u32>(p), r.mass));
  if (c == r.hit) { g = ieee_sub(g, ieee_mul(r.factor, r.hit_weight)); }
  if (SMOOTHING) { g = ieee_sub(g, ieee_mul(r.factor, ieee_mul(weight_bits(c), probability_bits(row, c)))); }
  return g;
}

fn emit(row: u32, r: Row, c: u32) {
  if (r.state == ROW_IGNORED) {
    store_grad(row, c, vec4<u32>());
    return;
  }
  if (r.state == ROW_NAN) {
    store_grad(row, c, vec4<u32>(BITS_NAN));
    return;
  }
  let p = distribution_p(r.distribution, load_logits(row, c));
  var g: vec4<u32>;
  if (r.state == ROW_USUAL) {
    var d = p;
    if (SMOOTHING) { d = p * bitcast<f32>(r.mass) - coefficients(row, c).values; }
    let at = r.hit - c; // wraps around below c
    if (at < 4u) { d[at] = d[at] - bitcast<f32>(r.hit_weight); }
    g = bitcast<vec4<u32>>(d * bitcast<f32>(r.factor));
  } else {
    for (var i = 0u; i < 4u; i++) { g[i] = special_gradient(r, row, c + i, p[i]); }
  }
  store_grad(row, c, g);
}
