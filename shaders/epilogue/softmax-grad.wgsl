// Gradient of softmax: p_j (g_j - sum_i p_i g_i).
alias RowInput = u32;
alias Row = u32; // the sum, as bits

fn terms(row: u32, c: u32) -> vec4<u32> {
  let p = flushed4(load_probs(row, c));
  let g = flushed4(load_gradOutput(row, c));
  if (!any_special(p) && !any_special(g)) { return keep4_bits(bitcast<vec4<f32>>(p) * bitcast<vec4<f32>>(g)); }
  return vec4<u32>(ieee_mul(p.x, g.x), ieee_mul(p.y, g.y), ieee_mul(p.z, g.z), ieee_mul(p.w, g.w));
}

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return stat_sum(stat); }
fn row_output(row: u32, r: Row) {}
fn row_store(at: u32, r: Row) { put_handover(at, r); }
fn row_load(row: u32) -> Row { return get_handover(record_at(row)); }

fn gradient(row: u32, r: Row, c: u32) -> vec4<u32> {
  let p = flushed4(load_probs(row, c));
  let g = flushed4(load_gradOutput(row, c));
  if (!is_special(r) && !any_special(p) && !any_special(g)) {
    let d = bitcast<vec4<f32>>(p) * keep4(bitcast<vec4<f32>>(g) - vec4<f32>(bitcast<f32>(r)));
    return keep4_bits(d);
  }
  var d = vec4<u32>();
  for (var i = 0u; i < 4u; i++) { d[i] = ieee_mul(p[i], ieee_sub(g[i], r)); }
  return d;
}

fn emit(row: u32, r: Row, c: u32) { store_grad(row, c, gradient(row, r, c)); }
