// log-softmax: log p_j = -(log S + (max - x_j)).
alias RowInput = u32;
alias Row = Distribution;

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return softmax_finish(stat.softmax); }
fn row_output(row: u32, r: Row) {}
fn row_store(at: u32, r: Row) { distribution_store(at, r); }
fn row_load(row: u32) -> Row { return distribution_load(record_at(row)); }

fn row_is_usual(r: Row) -> bool { return key_is_finite(r.top); }
fn emit(row: u32, r: Row, c: u32) {
  let gaps = softmax_gaps(logits_of(row, c), key_value(r.top));
  let infinite = bitcast<vec4<u32>>(gaps) == vec4<u32>(BITS_NEG_INF);
  store_output(row, c, select(keep4_bits(gaps - vec4<f32>(r.log_sum)), vec4<u32>(BITS_NEG_INF), infinite));
}
fn emit_odd(row: u32, r: Row, c: u32) { store_output(row, c, vec4<u32>(BITS_NAN)); }
