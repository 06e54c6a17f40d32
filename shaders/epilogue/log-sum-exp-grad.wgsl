// Gradient of log-sum-exp: g exp(x_j - lse), with the lse and g of the row. Needs no statistic.
struct Row { lse: u32, g: u32 }

fn row_load(row: u32) -> Row { return Row(flushed(get_lse(row_number(row))), flushed(get_gradOutput(row_number(row)))); }

// exp(x - lse) for finite x and lse; halves, since their difference may pass the largest float.
fn ratio(x: vec4<u32>, lse: f32) -> vec4<f32> {
  let v = bitcast<vec4<f32>>(x);
  let half_gap = keep4(keep4(0.5 * v) - vec4<f32>(keep(0.5 * lse)));
  return select(vec4<f32>(), exp_gap(keep4(v - vec4<f32>(lse))), half_gap >= vec4<f32>(-0.5 * REACH));
}

fn ratio_bits(x: u32, lse: u32) -> u32 {
  if (is_nan(x) || is_nan(lse) || lse == BITS_NEG_INF || (x == BITS_INF && lse == BITS_INF)) { return BITS_NAN; }
  if (x == BITS_NEG_INF || lse == BITS_INF) { return 0u; }
  if (x == BITS_INF) { return BITS_INF; }
  return bitcast<u32>(ratio(vec4<u32>(x), bitcast<f32>(lse)).x);
}

fn gradient(row: u32, r: Row, c: u32) -> vec4<u32> {
  let x = flushed4(load_logits(row, c));
  if (!is_special(r.lse) && !is_special(r.g) && !any_special(x)) { return keep4_bits(ratio(x, bitcast<f32>(r.lse)) * bitcast<f32>(r.g)); }
  var d = vec4<u32>();
  for (var i = 0u; i < 4u; i++) { d[i] = ieee_mul(ratio_bits(x[i], r.lse), r.g); }
  return d;
}

fn emit(row: u32, r: Row, c: u32) { store_grad(row, c, gradient(row, r, c)); }
