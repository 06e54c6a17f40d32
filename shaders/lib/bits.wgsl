// Floats as bit patterns. WGSL lets an implementation assume that NaN and infinities never occur, so every test for them is an
// integer test, and results that are special are written as integers.

const BITS_INF: u32 = 0x7f800000u;
const BITS_NEG_INF: u32 = 0xff800000u;
const BITS_NAN: u32 = 0x7fc00000u;
const BITS_ABS: u32 = 0x7fffffffu;

// Keys order floats as integers: -Inf < finite < +Inf < NaN. The mapping is its own inverse except for NaN.
const KEY_NEG_INF: i32 = -2139095041;
const KEY_INF: i32 = 0x7f800000;
const KEY_NAN: i32 = 0x7fffffff;

fn is_nan(u: u32) -> bool { return (u & BITS_ABS) > BITS_INF; }
fn is_inf(u: u32) -> bool { return (u & BITS_ABS) == BITS_INF; }
fn is_special(u: u32) -> bool { return (u & BITS_ABS) >= BITS_INF; }
fn any_special(u: vec4<u32>) -> bool { return any((u & vec4<u32>(BITS_ABS)) >= vec4<u32>(BITS_INF)); }

fn order_keys(u: vec4<u32>) -> vec4<i32> {
  let s = bitcast<vec4<i32>>(u);
  let ordered = s ^ ((s >> vec4<u32>(31u)) & vec4<i32>(0x7fffffff));
  return select(ordered, vec4<i32>(KEY_NAN), (u & vec4<u32>(BITS_ABS)) > vec4<u32>(BITS_INF));
}

fn order_key(u: u32) -> i32 { return order_keys(vec4<u32>(u)).x; }
fn key_bits(k: i32) -> u32 { return bitcast<u32>(k ^ ((k >> 31u) & 0x7fffffff)); }
fn key_value(k: i32) -> f32 { return bitcast<f32>(key_bits(k)); }
fn key_is_finite(k: i32) -> bool { return k > KEY_NEG_INF && k < KEY_INF; }

// IEEE arithmetic where an operand may be special; that of shaders/arithmetic otherwise. Branches, not selections: with chains of selections some
// drivers take minutes to compile.
fn ieee_mul(a: u32, b: u32) -> u32 {
  if (is_special(a) || is_special(b)) {
    let zero = (a & BITS_ABS) == 0u || (b & BITS_ABS) == 0u;
    return select(BITS_INF | ((a ^ b) & 0x80000000u), BITS_NAN, is_nan(a) || is_nan(b) || zero);
  }
  return keep_bits(bitcast<f32>(flushed(a)) * bitcast<f32>(flushed(b)));
}

fn ieee_sub(a: u32, b: u32) -> u32 {
  if (is_special(a) || is_special(b)) {
    let infinity = select(b ^ 0x80000000u, a, is_inf(a));
    return select(infinity, BITS_NAN, is_nan(a) || is_nan(b) || (is_inf(a) && a == b));
  }
  return keep_bits(bitcast<f32>(flushed(a)) - bitcast<f32>(flushed(b)));
}

fn ieee_add(a: u32, b: u32) -> u32 { return ieee_sub(a, b ^ 0x80000000u); }

fn ieee_div(dividend: u32, divisor: u32) -> u32 {
  let a = flushed(dividend);
  let b = flushed(divisor);
  let zero = (b & BITS_ABS) == 0u;
  if (is_special(a) || is_special(b) || zero) {
    let sign = (a ^ b) & 0x80000000u;
    let none = (is_inf(a) && is_inf(b)) || ((a & BITS_ABS) == 0u && zero);
    return select(select(BITS_INF | sign, sign, is_inf(b)), BITS_NAN, is_nan(a) || is_nan(b) || none);
  }
  return bitcast<u32>(quotient(bitcast<f32>(a), bitcast<f32>(b)));
}

// 2 h for the bits of h, where the double may pass the largest float.
fn twice(h: u32) -> u32 {
  let fits = (h & BITS_ABS) < 0x7f000000u;
  let overflow = select(BITS_INF | (h & 0x80000000u), BITS_NAN, is_nan(h));
  return select(overflow, keep_bits(2.0 * bitcast<f32>(h)), fits);
}

// What a sum met that floats cannot carry reliably.
const MET_NAN: u32 = 1u;
const MET_INF: u32 = 2u;
const MET_NEG_INF: u32 = 4u;

fn met(u: u32) -> u32 {
  let infinity = select(MET_INF, MET_NEG_INF, (u >> 31u) == 1u);
  return select(select(0u, infinity, is_inf(u)), MET_NAN, is_nan(u));
}
fn met4(u: vec4<u32>) -> u32 { return met(u.x) | met(u.y) | met(u.z) | met(u.w); }

// The bits of a sum whose finite part is `sum` and which met `flags`.
fn sum_bits(sum: f32, flags: u32) -> u32 {
  let infinity = select(select(BITS_NAN, BITS_NEG_INF, flags == MET_NEG_INF), BITS_INF, flags == MET_INF);
  return select(infinity, keep_bits(sum), flags == 0u);
}

fn sum4(v: vec4<f32>) -> f32 { return keep(keep(v.x + v.y) + keep(v.z + v.w)); }
fn max4(v: vec4<i32>) -> i32 { return max(max(v.x, v.y), max(v.z, v.w)); }
fn finite_sum(u: vec4<u32>) -> f32 {
  return sum4(select(bitcast<vec4<f32>>(u), vec4<f32>(), (u & vec4<u32>(BITS_ABS)) >= vec4<u32>(BITS_INF)));
}
