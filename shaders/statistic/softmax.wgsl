// Statistic: the softmax of the row's logits.
struct Stat { softmax: Softmax }

fn stat_zero() -> Stat { return Stat(softmax_zero()); }

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  var s = (*stat).softmax;
  softmax_absorb(
    &s, logits_of(row, c), logits_of(row, c + step), logits_of(row, c + 2u * step), logits_of(row, c + 3u * step)
  );
  (*stat).softmax = s;
}

fn stat_merge(a: Stat, b: Stat) -> Stat { return Stat(softmax_merge(a.softmax, b.softmax)); }

// The parts that only a weighted statistic has.
fn stat_mass(stat: Stat) -> u32 { return 0u; }
fn stat_half_loss(stat: Stat, log_sum: f32) -> u32 { return 0u; }

fn stat_store(at: u32, stat: Stat) {
  softmax_store(at, stat.softmax);
}

fn stat_load(at: u32) -> Stat {
  return Stat(softmax_load(at));
}
