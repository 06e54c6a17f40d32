// Takes in those classes of a row before `end` that are this lane's, as absorption.wgsl; sixteen of which some are odd in the outer loop, for
// the reason in emission-checked.wgsl.
fn absorb_all(stat: ptr<function, Stat>, row: u32, first: u32, end: u32, step: u32) {
  var c = first;
  loop {
    loop {
      if (!stat_absorb_usual(stat, row, c, step)) { break; }
      c += 4u * step;
      if (c >= end) { break; }
    }
    if (c < end) { stat_absorb(stat, row, c, step); }
    c += 4u * step;
    if (c >= end) { break; }
  }
}
