// Takes in those classes of a row before `end` that are this lane's: four from `first` on, then four every `step`; sixteen at a time.
fn absorb_all(stat: ptr<function, Stat>, row: u32, first: u32, end: u32, step: u32) {
  for (var c = first; c < end; c += 4u * step) { stat_absorb(stat, row, c, step); }
}
