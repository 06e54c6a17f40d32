// Binary cross-entropy with a loss for each element. Needs no statistic.
alias Row = u32;

fn row_load(row: u32) -> Row { return 0u; }

fn emit(row: u32, r: Row, c: u32) {
  store_loss(row, c, element_losses(row, c));
  emit_elements(row, c);
}
