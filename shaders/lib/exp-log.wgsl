// log at least 1; with exp_gap of the arithmetic, exp at most 0, all that a softmax needs.

// log(1 + r), r finite and at least 0, to about 2 ULP. The built-in log may be off by 2^-21 near 1, and log(1 + r) loses a small r
// altogether; a loss near 0 lives there. By log m = 2 atanh((m - 1) / (m + 1)).
fn log_one_plus(r: f32) -> f32 {
  let y = binary_parts(hold(1.0 + r));
  // Below 1/2 the argument itself is the small quantity: 1 + r would round it away.
  let small = r < 0.5;
  let above = select(hold(y.mantissa - 1.0), r, small);
  let part = twice_atanh(quotient(above, select(hold(y.mantissa + 1.0), hold(2.0 + r), small)));
  return select(log_joined(y.exponent, part), part, small);
}

// log v of a positive normal v, relative to itself as exact near 1 as elsewhere.
fn log_normal(v: f32) -> f32 {
  let y = binary_parts(v);
  return log_joined(y.exponent, twice_atanh(quotient(hold(y.mantissa - 1.0), hold(y.mantissa + 1.0))));
}

// v = mantissa 2^exponent with the mantissa from 0.707 to 1.414, of a positive normal v.
struct BinaryParts { mantissa: f32, exponent: f32 }

fn binary_parts(v: f32) -> BinaryParts {
  let y = bitcast<u32>(v);
  let mantissa = bitcast<f32>((y & 0x7fffffu) | 0x3f800000u);
  let large = mantissa > 1.4142135;
  return BinaryParts(select(mantissa, 0.5 * mantissa, large), f32(i32(y >> 23u) - 127 + select(0, 1, large)));
}

// e ln 2 + part. ln 2 in two parts; the high one has so few bits that its product with an exponent is exact.
fn log_joined(e: f32, part: f32) -> f32 {
  return hold(hold(e * 0.693145751953125) + hold(hold(e * 1.4286068203094172e-06) + part));
}

// 2 atanh(s) for |s| <= 0.2; the first term left out is below 1e-8 of the result.
fn twice_atanh(s: f32) -> f32 {
  let z = hold(s * s);
  let inner = hold(0.14285715 + hold(z * hold(0.11111111 + hold(z * 0.09090909))));
  let tail = hold(z * hold(0.33333334 + hold(z * hold(0.2 + hold(z * inner)))));
  return hold(2.0 * s + hold(2.0 * s * tail));
}
