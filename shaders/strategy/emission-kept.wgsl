// Writes those elements of a row before `end` that are this lane's: four from `first` on, then four every `step`, from what it kept.
fn emit_all(row: u32, r: Row, first: u32, end: u32, step: u32) {
  let usual_end = select(0u, end, row_is_usual(r));
  for (var i = 0u; i < KEPT; i++) {
    let c = first + i * step;
    if (c < usual_end) { emit_raw(row, r, c, kept[i]); }
  }
  emit_rest(row, r, first, end, step);
}
