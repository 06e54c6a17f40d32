// log at least 1; with exp_gap of the arithmetic, exp at most 0, all that a softmax needs.

// log(1 + r), r finite and at least 0, to about 2 ULP. The built-in log may be off by 2^-21 near 1, and log(1 + r) loses a small r
// altogether; a loss near 0 lives there. By log m = 2 atanh((m - 1) / (m + 1)).
fn log_one_plus(r: f32) -> f32 {
  let y = bitcast<u32>(hold(1.0 + r));
  let mantissa = bitcast<f32>((y & 0x7fffffu) | 0x3f800000u);
  let large = mantissa > 1.4142135;
  let m = select(mantissa, 0.5 * mantissa, large);
  let e = f32(i32(y >> 23u) - 127 + select(0, 1, large));
  // Below 1/2 the argument itself is the small quantity: 1 + r would round it away.
  let small = r < 0.5;
  let part = twice_atanh(quotient(select(hold(m - 1.0), r, small), select(hold(m + 1.0), hold(2.0 + r), small)));
  // ln 2 in two parts; the high one has so few bits that its product with an exponent is exact.
  return select(hold(hold(e * 0.693145751953125) + hold(hold(e * 1.4286068203094172e-06) + part)), part, small);
}

// 2 atanh(s) for |s| <= 0.2; the first term left out is below 1e-8 of the result.
fn twice_atanh(s: f32) -> f32 {
  let z = hold(s * s);
  let inner = hold(0.14285715 + hold(z * hold(0.11111111 + hold(z * 0.09090909))));
  let tail = hold(z * hold(0.33333334 + hold(z * hold(0.2 + hold(z * inner)))));
  return hold(2.0 * s + hold(2.0 * s * tail));
}
