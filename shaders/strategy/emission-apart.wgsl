// Another kernel writes the elements: it gets the row's record.
fn emit_all(row: u32, r: Row, first: u32, end: u32, step: u32) {
  if (first == 0u) { row_store(record_at(row), r); }
}
