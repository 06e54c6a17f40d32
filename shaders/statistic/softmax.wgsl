// Statistic: the softmax of the row's logits.
struct Stat { softmax: Softmax }

fn stat_zero() -> Stat { return Stat(softmax_zero()); }

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  stat_absorb_raw(
    stat, c, step, raw_logits(row, c), raw_logits(row, c + step), raw_logits(row, c + 2u * step), raw_logits(row, c + 3u * step)
  );
}

// The same of logits that are loaded.
fn stat_absorb_raw(
  stat: ptr<function, Stat>, c: u32, step: u32, x0: vec4<u32>, x1: vec4<u32>, x2: vec4<u32>, x3: vec4<u32>
) {
  var s = (*stat).softmax;
  softmax_absorb(&s, capped(x0, c), capped(x1, c + step), capped(x2, c + 2u * step), capped(x3, c + 3u * step));
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
