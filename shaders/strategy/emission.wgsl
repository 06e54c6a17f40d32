// Writes those elements of a row before `end` that are this lane's: four from `first` on, then four every `step`. The test is at the end of the
// loop for the reason in absorption.wgsl.
fn emit_all(row: u32, r: Row, first: u32, end: u32, step: u32) {
  if (first < end && row_is_usual(r)) {
    var c = first;
    loop {
      emit(row, r, c);
      c += step;
      if (c >= end) { break; }
    }
  }
  emit_rest(row, r, first, end, step);
}
