// The logits as the softmax takes them: with a soft cap, cap tanh(x / (T cap)), which also makes infinities finite.

fn raw_logits(row: u32, c: u32) -> vec4<u32> { return flushed4(load_logits(row, c)); }
fn logits_of(row: u32, c: u32) -> vec4<u32> { return capped(raw_logits(row, c), c); }

// Loaded logits of the classes from c, capped if there is a cap.
fn capped(x: vec4<u32>, c: u32) -> vec4<u32> {
  if (!SOFTCAP) { return x; }
  return select(vec4<u32>(BITS_NEG_INF), soft_cap(x), lanes_inside(c));
}

fn logit_of(row: u32, c: u32) -> u32 {
  let x = flushed(pick_logits(row, c));
  if (!SOFTCAP) { return x; }
  return soft_cap(vec4<u32>(x)).x;
}

// |x / (T cap)|, at most SATURATED, for any x but NaN. The built-in tanh is not used: it loses small arguments, and large ones on some
// devices.
const SATURATED: f32 = 43.0;
fn cap_argument(x: vec4<u32>) -> vec4<f32> {
  let size = bitcast<vec4<f32>>(min(x & vec4<u32>(BITS_ABS), vec4<u32>(0x7f7fffffu)));
  let limit = vec4<f32>(quotient(SATURATED, params.uncap));
  return select(keep4(size * params.uncap), vec4<f32>(SATURATED), size >= limit);
}

fn soft_cap(x: vec4<u32>) -> vec4<u32> {
  let a = cap_argument(x);
  let z = hold4(a * a);
  // Pade approximant for small arguments, off by less than 1e-9 of the result.
  let over = hold4(a * hold4(945.0 + hold4(z * hold4(105.0 + z))));
  let under = hold4(945.0 + hold4(z * hold4(420.0 + hold4(z * 15.0))));
  let e = exp_gap(-2.0 * a);
  let small = a < vec4<f32>(0.625);
  let t = quotient4(select(hold4(1.0 - e), over, small), select(hold4(1.0 + e), under, small));
  let capped = keep4_bits(params.cap * t) | (x & vec4<u32>(0x80000000u));
  return select(capped, vec4<u32>(BITS_NAN), (x & vec4<u32>(BITS_ABS)) > vec4<u32>(BITS_INF));
}

// Derivative of the soft cap without the temperature: 1 - tanh^2 = 4 e / (1 + e)^2 with e = exp(-2 |a|), which does not cancel.
fn cap_slope(x: vec4<u32>) -> vec4<f32> {
  let a = cap_argument(x);
  let e = exp_gap(-2.0 * a);
  let one_plus = hold4(1.0 + e);
  let slope = quotient4(4.0 * e, hold4(one_plus * one_plus));
  return select(slope, vec4<f32>(), a >= vec4<f32>(SATURATED));
}
fn slope_at(row: u32, c: u32) -> f32 {
  if (!SOFTCAP) { return 1.0; }
  return cap_slope(vec4<u32>(flushed(pick_logits(row, c)))).x;
}
