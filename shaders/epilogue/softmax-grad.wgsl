// Gradient of softmax: p_j (g_j - sum_i p_i g_i).
alias RowInput = u32;
alias Row = u32; // the sum, as bits

fn terms(row: u32, c: u32) -> vec4<u32> {
  let p = flushed4(load_probs(row, c));
  let g = flushed4(load_gradOutput(row, c));
  let product = keep4_bits(bitcast<vec4<f32>>(p) * bitcast<vec4<f32>>(g));
  // ieee_mul of all four at once, without a branch.
  let p_size = p & vec4<u32>(BITS_ABS);
  let g_size = g & vec4<u32>(BITS_ABS);
  let largest = max(p_size, g_size);
  let infinity = vec4<u32>(BITS_INF) | ((p ^ g) & vec4<u32>(0x80000000u));
  let none = (largest > vec4<u32>(BITS_INF)) | (min(p_size, g_size) == vec4<u32>());
  return select(product, select(infinity, vec4<u32>(BITS_NAN), none), largest >= vec4<u32>(BITS_INF));
}

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return stat_sum(stat); }
fn row_output(row: u32, r: Row) {}
fn row_store(at: u32, r: Row) { put_handover(at, r); }
fn row_load(row: u32) -> Row { return get_handover(record_at(row)); }

// Where the sum is finite, so are all p_j and g_j.
fn row_is_usual(r: Row) -> bool { return !is_special(r); }

fn emit(row: u32, r: Row, c: u32) {
  let p = bitcast<vec4<f32>>(flushed4(load_probs(row, c)));
  let g = bitcast<vec4<f32>>(flushed4(load_gradOutput(row, c)));
  store_grad(row, c, keep4_bits(p * keep4(g - vec4<f32>(bitcast<f32>(r)))));
}

fn emit_odd(row: u32, r: Row, c: u32) {
  let p = flushed4(load_probs(row, c));
  let g = flushed4(load_gradOutput(row, c));
  var d = vec4<u32>();
  for (var i = 0u; i < 4u; i++) { d[i] = ieee_mul(p[i], ieee_sub(g[i], r)); }
  store_grad(row, c, d);
}
