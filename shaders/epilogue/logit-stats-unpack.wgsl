// The packed values of a row to their places.
alias Row = Stats;

fn row_load(row: u32) -> Row {
  let at = packed_at(row);
  return Stats(get_packed(at), get_packed(at + 1u), get_packed(at + 2u), get_packed(at + 3u), get_packed(at + 4u));
}

fn row_output(row: u32, r: Row) { stats_output(row, r); }
