// Arithmetic with the same bits on every device. WGSL leaves + - * free to be reordered and fused, to flush subnormals and to round exp
// and division roughly. So every result passes through integers that no compiler can see through, what is below 2^-125 is 0 everywhere,
// and exp and division are made from + - * and integers. What is left to the device, rounding to nearest, is tested when a context is made.

const FLUSHED_MOST: i32 = 0x00ffffff; // the largest float below 2^-125

// `params.zero` is always 0, which the compiler does not know.
fn opaque(x: f32) -> u32 { return bitcast<u32>(x) ^ params.zero; }
fn opaque4(x: vec4<f32>) -> vec4<u32> { return bitcast<vec4<u32>>(x) ^ vec4<u32>(params.zero); }

// Of the bits of a number that enters the arithmetic: subnormals, which some devices take for 0, are 0; and so is -0. By a mask, not a
// selection: with chains of selections some drivers take minutes to compile.
fn flushed(u: u32) -> u32 { return u & bitcast<u32>((FLUSHED_MOST - bitcast<i32>(u & BITS_ABS)) >> 31u); }
fn flushed4(u: vec4<u32>) -> vec4<u32> {
  let size = bitcast<vec4<i32>>(u & vec4<u32>(BITS_ABS));
  return u & bitcast<vec4<u32>>((vec4<i32>(FLUSHED_MOST) - size) >> vec4<u32>(31u));
}

// The result of one + - or * that is no subnormal, or whose being one makes no difference to what it is added to.
fn hold(x: f32) -> f32 { return bitcast<f32>(opaque(x)); }
fn hold4(x: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(opaque4(x)); }

// The result of any.
fn keep(x: f32) -> f32 { return bitcast<f32>(flushed(opaque(x))); }
fn keep4(x: vec4<f32>) -> vec4<f32> { return bitcast<vec4<f32>>(flushed4(opaque4(x))); }

// The same as bits that go into a result: there is only one NaN.
fn keep_bits(x: f32) -> u32 {
  let u = flushed(opaque(x));
  if (is_nan(u)) { return BITS_NAN; }
  return u;
}
fn keep4_bits(x: vec4<f32>) -> vec4<u32> {
  let u = flushed4(opaque4(x));
  let nan = bitcast<vec4<u32>>((vec4<i32>(0x7f800000) - bitcast<vec4<i32>>(u & vec4<u32>(BITS_ABS))) >> vec4<u32>(31u));
  return (u & ~nan) | (vec4<u32>(BITS_NAN) & nan);
}

// a / b rounded to nearest even, by long division of the mantissas, eight bits at a time. For finite a and b, b not 0.
fn quotient(a: f32, b: f32) -> f32 {
  let u = opaque(a);
  let v = opaque(b);
  if ((u & BITS_ABS) == 0u) { return 0.0; }
  let by = (v & 0x7fffffu) | 0x800000u;
  var rest = (u & 0x7fffffu) | 0x800000u;
  var exponent = i32((u & BITS_ABS) >> 23u) - i32((v & BITS_ABS) >> 23u) + 127;
  if (rest < by) {
    rest = rest << 1u;
    exponent -= 1;
  }
  // The first digit is 1; 24 more bits, the last of which rounds.
  rest -= by;
  var digits = 1u;
  for (var i = 0u; i < 3u; i++) {
    let digit = (rest << 8u) / by;
    rest = (rest << 8u) - digit * by;
    digits = (digits << 8u) | digit;
  }
  let up = (digits & 1u) == 1u && (rest != 0u || (digits & 2u) == 2u);
  let sign = (u ^ v) & 0x80000000u;
  if (exponent <= 0) { return 0.0; }
  if (exponent >= 255) { return bitcast<f32>((sign | BITS_INF) ^ params.zero); }
  let size = (u32(exponent) << 23u) + (digits >> 1u) - 0x800000u + select(0u, 1u, up);
  return bitcast<f32>(flushed(size | sign));
}
fn quotient4(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
  var q: vec4<f32>;
  for (var i = 0u; i < 4u; i++) { q[i] = quotient(a[i], b[i]); }
  return q;
}

// exp(d) = 2^n exp(r) with |r| <= ln 2 / 2, to about 1 ULP; below 2^-125 it is 0, beyond the largest float infinite. The polynomial is that
// of Cephes' expf.
fn exp_gap(d: vec4<f32>) -> vec4<f32> {
  let x = min(d, vec4<f32>(89.0));
  // Added to 1.5 2^23, a number is rounded to a whole one, which then is in the low bits.
  let shifted = hold4(hold4(x * 0x1.715476p+0f) + 0x1.8p+23f);
  let n = bitcast<vec4<i32>>(shifted) - vec4<i32>(0x4b400000);
  let whole = hold4(shifted - 0x1.8p+23f);
  // ln 2 in two parts; the high one has so few bits that its product with n is exact.
  let r = hold4(hold4(x - hold4(whole * 0x1.62e4p-1f)) - hold4(whole * 0x1.7f7d1cp-20f));
  var q = hold4(hold4(r * 0x1.a0d2cep-13f) + 0x1.6e879cp-10f);
  q = hold4(hold4(q * r) + 0x1.11121p-7f);
  q = hold4(hold4(q * r) + 0x1.555382p-5f);
  q = hold4(hold4(q * r) + 0x1.555554p-3f);
  q = hold4(hold4(q * r) + 0x1.0p-1f);
  let y = hold4(hold4(hold4(q * hold4(r * r)) + r) + 1.0);
  let u = bitcast<vec4<i32>>(y) + (n << vec4<u32>(23u));
  let floored = u & ((vec4<i32>(FLUSHED_MOST) - max(u, vec4<i32>())) >> vec4<u32>(31u));
  // An infinity that is a constant does not compile.
  return bitcast<vec4<f32>>(min(floored, vec4<i32>(0x7f800000)) ^ vec4<i32>(i32(params.zero)));
}
fn exp_gap_of(d: f32) -> f32 { return exp_gap(vec4<f32>(d)).x; }
