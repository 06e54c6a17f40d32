// Takes in those classes of a row before `end` that are this lane's: four from `first` on, then four every `step`; sixteen at a time. A lane
// that has none takes in sixteen from behind the end, which changes nothing: drivers in software run the body of a loop once more than it
// is asked for, unless the test is at its end.
fn absorb_all(stat: ptr<function, Stat>, row: u32, first: u32, end: u32, step: u32) {
  var c = first;
  loop {
    stat_absorb(stat, row, c, step);
    c += 4u * step;
    if (c >= end) { break; }
  }
}
