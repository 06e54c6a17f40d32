// For an epilogue that writes the elements of all rows alike.
fn row_is_usual(r: Row) -> bool { return true; }
fn emit_odd(row: u32, r: Row, c: u32) {}
