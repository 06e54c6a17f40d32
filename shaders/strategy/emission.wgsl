// Writes those elements of a row before `end` that are this lane's: four from `first` on, then four every `step`.
fn emit_all(row: u32, r: Row, first: u32, end: u32, step: u32) {
  let usual = row_is_usual(r);
  for (var c = select(end, first, usual); c < end; c += step) { emit(row, r, c); }
  emit_rest(row, r, first, end, step);
}
