// What is left of a row's elements when the usual ones are written. A loop of its own for odd rows, not a branch in the other: some drivers
// in software run both sides of a branch, for every element.
fn emit_rest(row: u32, r: Row, first: u32, end: u32, step: u32) {
  for (var c = select(first, end, row_is_usual(r)); c < end; c += step) { emit_odd(row, r, c); }
  // The lane that wrote the class writes it again: for all others, a test at every element would cost more.
  let hit = row_hit(r);
  if (hit >= first && hit < end && (hit - first) % step < 4u) { emit_hit(row, r); }
}
