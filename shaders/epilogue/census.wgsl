// Result of the census: kept rows, their weight, the first bad row and its value. One row, so one set of four words.
alias RowInput = u32;
alias Row = Stat;

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return stat; }
fn row_output(row: u32, r: Row) {
  put_census(0u, bitcast<u32>(f32(r.kept)));
  put_census(1u, sum_bits(r.weight, r.met));
  put_census(2u, r.bad_row);
  put_census(3u, r.bad_value);
}
fn row_store(at: u32, r: Row) {}
fn emit(row: u32, r: Row, c: u32) {}
