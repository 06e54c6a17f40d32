// A divergence's target: the logarithms of probabilities.
const GIVEN_LOGS: bool = true;

// Of four classes: q, log q / 2 (0 where q is 0), and which logarithms are above 0 or NaN.
struct Given { probs: vec4<f32>, half_logs: vec4<f32>, odd: vec4<bool> }

fn given(row: u32, c: u32) -> Given {
  let t = load_target(row, c);
  let keys = order_keys(t);
  let counts = (keys >= vec4<i32>(order_key(bitcast<u32>(-REACH)))) & (keys <= vec4<i32>());
  let v = bitcast<vec4<f32>>(select(vec4<u32>(), t, counts));
  return Given(select(vec4<f32>(), exp_gap(v), counts), 0.5 * v, keys > vec4<i32>());
}

fn given_prob(row: u32, c: u32) -> u32 {
  let t = pick_target(row, c);
  if (t == BITS_NEG_INF) { return 0u; }
  if (is_special(t)) { return t; }
  let v = bitcast<f32>(t);
  if (v < -REACH) { return 0u; }
  if (v > 88.8) { return BITS_INF; }
  // exp of what is above 0, by that of half of it below.
  let e = exp_gap(vec4<f32>(select(v, -0.5 * v, v > 0.0))).x;
  return bitcast<u32>(select(e, (1.0 / e) * (1.0 / e), v > 0.0));
}

fn given_log(row: u32, c: u32) -> u32 { return pick_target(row, c); }
