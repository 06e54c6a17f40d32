// The logits as the softmax takes them: with a soft cap, cap tanh(x / (T cap)), which also makes infinities finite.

fn logits_of(row: u32, c: u32) -> vec4<u32> { return capped(load_logits(row, c), c); }

// Loaded logits of the classes from c, capped if there is a cap.
fn capped(x: vec4<u32>, c: u32) -> vec4<u32> {
  if (!SOFTCAP) { return x; }
  return select(vec4<u32>(BITS_NEG_INF), soft_cap(x), lanes_inside(c));
}

fn logit_of(row: u32, c: u32) -> u32 {
  let x = pick_logits(row, c);
  if (!SOFTCAP) { return x; }
  return soft_cap(vec4<u32>(x)).x;
}

// |x / (T cap)|, at most SATURATED, for any x but NaN. The built-in tanh is not used: it loses small arguments, and large ones on some
// devices.
const SATURATED: f32 = 43.0;
fn cap_argument(x: vec4<u32>) -> vec4<f32> {
  let size = bitcast<vec4<f32>>(min(x & vec4<u32>(BITS_ABS), vec4<u32>(0x7f7fffffu)));
  let limit = vec4<f32>(SATURATED / params.uncap);
  return select(size * params.uncap, vec4<f32>(SATURATED), size >= limit);
}

fn soft_cap(x: vec4<u32>) -> vec4<u32> {
  let a = cap_argument(x);
  let z = a * a;
  // Pade approximant for small arguments, off by less than 1e-9 of the result.
  let small = a * (945.0 + z * (105.0 + z)) / (945.0 + z * (420.0 + z * 15.0));
  let e = exp_gap(-2.0 * a);
  let t = select((1.0 - e) / (1.0 + e), small, a < vec4<f32>(0.625));
  let capped = bitcast<vec4<u32>>(params.cap * t) | (x & vec4<u32>(0x80000000u));
  return select(capped, vec4<u32>(BITS_NAN), (x & vec4<u32>(BITS_ABS)) > vec4<u32>(BITS_INF));
}

// Derivative of the soft cap without the temperature: 1 - tanh^2 = 4 e / (1 + e)^2 with e = exp(-2 |a|), which does not cancel.
fn cap_slope(x: vec4<u32>) -> vec4<f32> {
  let a = cap_argument(x);
  let e = exp_gap(-2.0 * a);
  let slope = 4.0 * e / ((1.0 + e) * (1.0 + e));
  return select(slope, vec4<f32>(), a >= vec4<f32>(SATURATED));
}
