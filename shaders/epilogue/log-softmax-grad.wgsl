// Gradient of log-softmax: g_j - exp(log p_j) sum_i g_i.
alias RowInput = u32;
alias Row = u32; // the sum, as bits

fn terms(row: u32, c: u32) -> vec4<u32> { return flushed4(load_gradOutput(row, c)); }

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return stat_sum(stat); }
fn row_output(row: u32, r: Row) {}
fn row_store(at: u32, r: Row) { put_handover(at, r); }
fn row_load(row: u32) -> Row { return get_handover(record_at(row)); }

// exp of log-probabilities, finite or -Inf; below -REACH it is 0.
fn exp_of(lp: vec4<u32>) -> vec4<f32> { return softmax_powers(bitcast<vec4<f32>>(flushed4(lp))); }

fn exp_bits(lp: u32) -> u32 {
  if (is_special(lp) && lp != BITS_NEG_INF) { return lp; }
  return bitcast<u32>(exp_of(vec4<u32>(lp)).x);
}

// Where the sum is finite, so are all g_j.
fn row_is_usual(r: Row) -> bool { return !is_special(r); }

fn emit(row: u32, r: Row, c: u32) {
  let lp = load_logProbs(row, c);
  let g = bitcast<vec4<f32>>(terms(row, c));
  let d = keep4_bits(g - keep4(exp_of(lp) * bitcast<f32>(r)));
  // g_j, which is finite, less Inf times the sum.
  store_grad(row, c, with_own_exps(d, lp, ieee_mul(BITS_NEG_INF, r)));
}

fn emit_odd(row: u32, r: Row, c: u32) {
  let lp = load_logProbs(row, c);
  let g = load_gradOutput(row, c);
  var d = vec4<u32>();
  for (var i = 0u; i < 4u; i++) { d[i] = ieee_sub(g[i], ieee_mul(exp_bits(lp[i]), r)); }
  store_grad(row, c, d);
}
