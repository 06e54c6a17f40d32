// Entropy of softmax(x) in nats: H = log S + D with D = sum p_j (max - x_j); gradient_j = scale p_j ((max - x_j) - D).
alias RowInput = u32;

struct Row {
  distribution: Distribution,
  scale: u32,
  spread: f32, // D
}

fn row_input(row: u32) -> RowInput { return 0u; }

fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row {
  let d = softmax_finish(stat.softmax);
  let scale = ieee_div(get_gradOutput(row_number(row)), bitcast<u32>(params.divisor));
  return Row(d, scale, keep(stat.moment * d.inverse));
}

fn row_output(row: u32, r: Row) {
  let value = keep_bits(r.distribution.log_sum + r.spread);
  put_entropy(row_number(row), select(BITS_NAN, value, key_is_finite(r.distribution.top)));
}

fn row_store(at: u32, r: Row) {
  distribution_store(at, r.distribution);
  put_handover(at + 3u, r.scale);
  put_handover(at + 4u, bitcast<u32>(r.spread));
}

fn row_load(row: u32) -> Row {
  let at = record_at(row);
  return Row(distribution_load(at), get_handover(at + 3u), bitcast<f32>(get_handover(at + 4u)));
}

// The gradient for an upstream gradient of 1, where the maximum is finite.
fn slopes(row: u32, r: Row, c: u32) -> vec4<f32> {
  let d = r.distribution;
  let x = logits_of(row, c);
  let gaps = softmax_gaps(x, key_value(d.top));
  let below = select(vec4<f32>(), -gaps, within_reach(gaps));
  return keep4(distribution_p(d, x) * keep4(below - vec4<f32>(r.spread)));
}

fn row_is_usual(r: Row) -> bool { return key_is_finite(r.distribution.top) && !is_special(r.scale); }

fn emit(row: u32, r: Row, c: u32) { store_grad(row, c, keep4_bits(slopes(row, r, c) * bitcast<f32>(r.scale))); }

fn emit_odd(row: u32, r: Row, c: u32) {
  var g = vec4<u32>(BITS_NAN);
  if (key_is_finite(r.distribution.top) && is_inf(r.scale)) {
    let slope = slopes(row, r, c);
    for (var i = 0u; i < 4u; i++) { g[i] = ieee_mul(bitcast<u32>(slope[i]), r.scale); }
  }
  store_grad(row, c, g);
}
