// softmax: p_j = exp(x_j - max) / S.
alias RowInput = u32;
alias Row = Distribution;

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return softmax_finish(stat.softmax); }
fn row_output(row: u32, r: Row) {}
fn row_store(at: u32, r: Row) { distribution_store(at, r); }
fn row_load(row: u32) -> Row { return distribution_load(record_at(row)); }

fn row_is_usual(r: Row) -> bool { return key_is_finite(r.top); }
fn emit(row: u32, r: Row, c: u32) { store_output(row, c, bitcast<vec4<u32>>(distribution_p(r, logits_of(row, c)))); }
fn emit_odd(row: u32, r: Row, c: u32) { store_output(row, c, vec4<u32>(BITS_NAN)); }
