// A divergence's target: probabilities as they are.
const GIVEN_LOGS: bool = false;

// Of four classes: q, log q / 2 (0 where q is 0), and which are neither 0 nor a positive normal number.
struct Given { probs: vec4<f32>, half_logs: vec4<f32>, odd: vec4<bool> }

fn given(row: u32, c: u32) -> Given {
  let t = load_target(row, c);
  let zero = (t & vec4<u32>(BITS_ABS)) == vec4<u32>();
  let plain = t - vec4<u32>(0x00800000u) < vec4<u32>(0x7f000000u); // others wrap around
  let v = bitcast<vec4<f32>>(select(vec4<u32>(0x3f800000u), t, plain));
  let logs = vec4<f32>(log_normal(v.x), log_normal(v.y), log_normal(v.z), log_normal(v.w));
  return Given(select(vec4<f32>(), v, plain), 0.5 * logs, !(plain | zero));
}

fn given_prob(row: u32, c: u32) -> u32 { return pick_target(row, c); }

// log q of any bits but 0.
fn given_log(row: u32, c: u32) -> u32 {
  let t = pick_target(row, c);
  if ((t >> 31u) == 1u || is_nan(t)) { return BITS_NAN; }
  if (is_inf(t)) { return t; }
  // A subnormal number is t 2^-149, t taken as an integer.
  if (t < 0x00800000u) { return bitcast<u32>(log_normal(f32(t)) - 103.27893); }
  return bitcast<u32>(log_normal(bitcast<f32>(t)));
}
