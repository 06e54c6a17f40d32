// log-softmax: log p_j = -(log S + (max - x_j)).
alias RowInput = u32;
alias Row = Distribution;

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return softmax_finish(stat.softmax); }
fn row_output(row: u32, r: Row) {}
fn row_store(at: u32, r: Row) { distribution_store(at, r); }
fn row_load(row: u32) -> Row { return distribution_load(record_at(row)); }

fn log_p(r: Row, x: u32) -> u32 {
  return twice(distribution_half_nll(r, x) ^ 0x80000000u);
}

fn log_probabilities(row: u32, r: Row, c: u32) -> vec4<u32> {
  if (!key_is_finite(r.top)) { return vec4<u32>(BITS_NAN); }
  let x = logits_of(row, c);
  return vec4<u32>(log_p(r, x.x), log_p(r, x.y), log_p(r, x.z), log_p(r, x.w));
}

fn emit(row: u32, r: Row, c: u32) { store_output(row, c, log_probabilities(row, r, c)); }
