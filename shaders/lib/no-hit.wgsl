// For an epilogue in which no class stands out.
fn row_hit(r: Row) -> u32 { return NO_CLASS; }
fn emit_hit(row: u32, r: Row) {}
