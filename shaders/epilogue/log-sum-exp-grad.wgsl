// Gradient of log-sum-exp: g exp(x_j - lse), with the lse and g of the row. Needs no statistic.
struct Row { lse: u32, g: u32 }

fn row_load(row: u32) -> Row { return Row(flushed(get_lse(row_number(row))), flushed(get_gradOutput(row_number(row)))); }

// exp(x - lse) for finite lse, and x finite or -Inf; halves, since their difference may pass the largest float.
fn ratio(x: vec4<u32>, lse: f32) -> vec4<f32> {
  let v = bitcast<vec4<f32>>(x);
  let half_gap = keep4(keep4(0.5 * v) - vec4<f32>(keep(0.5 * lse)));
  let near = (half_gap >= vec4<f32>(-0.5 * REACH)) & (x != vec4<u32>(BITS_NEG_INF));
  return select(vec4<f32>(), exp_gap(keep4(v - vec4<f32>(lse))), near);
}

fn ratio_bits(x: u32, lse: u32) -> u32 {
  if (is_nan(x) || is_nan(lse) || lse == BITS_NEG_INF || (x == BITS_INF && lse == BITS_INF)) { return BITS_NAN; }
  if (x == BITS_NEG_INF || lse == BITS_INF) { return 0u; }
  if (x == BITS_INF) { return BITS_INF; }
  return bitcast<u32>(ratio(vec4<u32>(x), bitcast<f32>(lse)).x);
}

fn row_is_usual(r: Row) -> bool { return !is_special(r.lse) && !is_special(r.g); }

fn emit(row: u32, r: Row, c: u32) {
  let x = flushed4(load_logits(row, c));
  let d = keep4_bits(ratio(x, bitcast<f32>(r.lse)) * bitcast<f32>(r.g));
  store_grad(row, c, with_own_exps(d, x, ieee_mul(BITS_INF, r.g)));
}

fn emit_odd(row: u32, r: Row, c: u32) {
  let x = flushed4(load_logits(row, c));
  var d = vec4<u32>();
  for (var i = 0u; i < 4u; i++) { d[i] = ieee_mul(ratio_bits(x[i], r.lse), r.g); }
  store_grad(row, c, d);
}
