// Statistic: the softmax of the row's logits, and its moment.
struct Stat {
  softmax: Softmax,
  moment: f32,
}

fn stat_zero() -> Stat { return Stat(softmax_zero(), 0.0); }

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  let x0 = logits_of(row, c);
  let x1 = logits_of(row, c + step);
  let x2 = logits_of(row, c + 2u * step);
  let x3 = logits_of(row, c + 3u * step);
  let old = (*stat).softmax;
  var s = old;
  softmax_absorb(&s, x0, x1, x2, x3);
  (*stat).moment = moment_absorb(old, (*stat).moment, s.top, x0, x1, x2, x3);
  (*stat).softmax = s;
}

fn stat_merge(a: Stat, b: Stat) -> Stat {
  let s = softmax_merge(a.softmax, b.softmax);
  return Stat(s, moment_merge(a.softmax, a.moment, b.softmax, b.moment, s.top));
}

fn stat_store(at: u32, stat: Stat) {
  softmax_store(at, stat.softmax);
  put_handover(at + 3u, bitcast<u32>(stat.moment));
}

fn stat_load(at: u32) -> Stat {
  let s = softmax_load(at);
  return Stat(s, bitcast<f32>(get_handover(at + 3u)));
}
