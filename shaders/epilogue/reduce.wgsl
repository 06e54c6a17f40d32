// The sum or mean of the rows' losses, read as one long row. Scaled by a power of two on the way, so that the sum does not overflow
// where the mean fits.
alias RowInput = u32;
alias Row = u32;

fn terms(row: u32, c: u32) -> vec4<u32> {
  let v = load_losses(row, c);
  let scaled = keep4_bits(bitcast<vec4<f32>>(v) * params.prescale);
  if (!any_special(v)) { return scaled; }
  return select(scaled, v, (v & vec4<u32>(BITS_ABS)) >= vec4<u32>(BITS_INF));
}

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row {
  return ieee_mul(ieee_div(stat_sum(stat), get_census(1u)), bitcast<u32>(params.postscale));
}
fn row_output(row: u32, r: Row) { put_loss(0u, r); }
fn row_store(at: u32, r: Row) {}
fn emit(row: u32, r: Row, c: u32) {}
