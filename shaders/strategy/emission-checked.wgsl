// Writes those elements of a row before `end` that are this lane's: four from `first` on, then four every `step`. Of four that are odd nothing
// has been written when the inner loop ends. What follows it drivers in software run whether there are such or not: so once a row, not at
// every step.
fn emit_all(row: u32, r: Row, first: u32, end: u32, step: u32) {
  if (first >= end) { return; }
  var c = first;
  loop {
    loop {
      if (!emit_usual(row, r, c)) { break; }
      c += step;
      if (c >= end) { break; }
    }
    if (c < end) { emit_odd(row, r, c); }
    c += step;
    if (c >= end) { break; }
  }
}
