// Writes those elements of a row before `end` that are this lane's: four from `first` on, then four every `step`.
// Two loops, not a branch in one: some drivers in software run both sides of a branch, for every element.
fn emit_all(row: u32, r: Row, first: u32, end: u32, step: u32) {
  let usual = row_is_usual(r);
  for (var c = select(end, first, usual); c < end; c += step) { emit(row, r, c); }
  for (var c = select(first, end, usual); c < end; c += step) { emit_odd(row, r, c); }
  // The lane that wrote the class writes it again: for all others, a test at every element would cost more.
  let hit = row_hit(r);
  if (hit >= first && hit < end && (hit - first) % step < 4u) { emit_hit(row, r); }
}
