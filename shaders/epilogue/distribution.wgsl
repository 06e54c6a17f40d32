// What a row's softmax is known by, three words a row, for an op that compares it with something in a pass of its own.
alias RowInput = u32;
alias Row = Distribution;

fn row_input(row: u32) -> RowInput { return 0u; }
fn row_finish(row: u32, input: RowInput, stat: Stat) -> Row { return softmax_finish(stat.softmax); }
fn row_output(row: u32, r: Row) {
  let at = 3u * row_number(row);
  put_distribution(at, bitcast<u32>(r.top));
  put_distribution(at + 1u, bitcast<u32>(r.log_sum));
  put_distribution(at + 2u, bitcast<u32>(r.inverse));
}
fn row_store(at: u32, r: Row) {}
fn row_load(row: u32) -> Row { return Row(); }
fn emit(row: u32, r: Row, c: u32) {}
