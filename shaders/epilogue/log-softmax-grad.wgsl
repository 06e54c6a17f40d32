// Gradient of log-softmax: g_j - exp(log p_j) sum_i g_i.
alias RowInput = u32;
alias Row = u32; // the sum, as bits

fn terms(row: u32, c: u32) -> vec4<u32> { return flushed4(load_gradOutput(row, c)); }

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return stat_sum(stat); }
fn row_output(row: u32, r: Row) {}
fn row_store(at: u32, r: Row) { put_handover(at, r); }
fn row_load(row: u32) -> Row { return get_handover(record_at(row)); }

// exp of finite log-probabilities; below -REACH it is 0.
fn exp_finite(lp: vec4<u32>) -> vec4<f32> {
  let d = bitcast<vec4<f32>>(flushed4(lp));
  return select(vec4<f32>(), exp_gap(d), d >= vec4<f32>(-REACH));
}

fn exp_bits(lp: u32) -> u32 {
  if (lp == BITS_NEG_INF) { return 0u; }
  if (is_special(lp)) { return lp; }
  return bitcast<u32>(exp_finite(vec4<u32>(lp)).x);
}

fn gradient(row: u32, r: Row, c: u32) -> vec4<u32> {
  let lp = load_logProbs(row, c);
  let g = load_gradOutput(row, c);
  if (!is_special(r) && !any_special(lp) && !any_special(g)) {
    let d = bitcast<vec4<f32>>(flushed4(g)) - keep4(exp_finite(lp) * bitcast<f32>(r));
    return keep4_bits(d);
  }
  var d = vec4<u32>();
  for (var i = 0u; i < 4u; i++) { d[i] = ieee_sub(g[i], ieee_mul(exp_bits(lp[i]), r)); }
  return d;
}

fn emit(row: u32, r: Row, c: u32) { store_grad(row, c, gradient(row, r, c)); }
