// Binary cross-entropy, added up: a row's statistic is the sum of its losses, scaled so that it does not overflow where the mean fits.
alias RowInput = u32;
alias Row = u32;

fn terms(row: u32, c: u32) -> vec4<u32> {
  let v = element_losses(row, c);
  let scaled = bitcast<vec4<u32>>(bitcast<vec4<f32>>(v) * params.prescale);
  return select(scaled, v, (v & vec4<u32>(BITS_ABS)) >= vec4<u32>(BITS_INF));
}

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return stat_sum(stat); }
fn row_output(row: u32, r: Row) { put_losses(row_number(row), r); }
fn row_store(at: u32, r: Row) {}
fn row_load(row: u32) -> Row { return 0u; }
fn emit(row: u32, r: Row, c: u32) { emit_elements(row, c); }
