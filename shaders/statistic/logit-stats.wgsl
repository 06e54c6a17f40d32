// Statistic: the softmax of the row's logits, its moment, how many classes come before the target, and which classes come first.
struct Stat {
  softmax: Softmax,
  moment: f32,
  rank: u32,
  list: u32,
}

fn stat_zero() -> Stat { return Stat(softmax_zero(), 0.0, 0u, list_zero()); }

fn count4(which: vec4<bool>) -> u32 {
  let ones = select(vec4<u32>(), vec4<u32>(1u), which);
  return (ones.x + ones.y) + (ones.z + ones.w);
}

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
  let k0 = order_keys(x0);
  let k1 = order_keys(x1);
  let k2 = order_keys(x2);
  let k3 = order_keys(x3);
  let hit = get_targets(row_number(row));
  if (hit < params.classes) {
    let mark = Entry(rank_key(order_key(logit_of(row, hit))), hit);
    (*stat).rank += (count4(ahead_of(mark, k0, c)) + count4(ahead_of(mark, k1, c + step)))
                  + (count4(ahead_of(mark, k2, c + 2u * step)) + count4(ahead_of(mark, k3, c + 3u * step)));
  }
  list_absorb((*stat).list, k0, k1, k2, k3, c, step);
}

fn stat_merge(a: Stat, b: Stat) -> Stat {
  let s = softmax_merge(a.softmax, b.softmax);
  let moment = moment_merge(a.softmax, a.moment, b.softmax, b.moment, s.top);
  list_merge(a.list, b.list);
  return Stat(s, moment, a.rank + b.rank, a.list);
}

fn stat_store(at: u32, stat: Stat) {
  softmax_store(at, stat.softmax);
  put_handover(at + 3u, bitcast<u32>(stat.moment));
  put_handover(at + 4u, stat.rank);
  list_store(at + 5u, stat.list);
}

fn stat_load(at: u32) -> Stat {
  let s = softmax_load(at);
  return Stat(s, bitcast<f32>(get_handover(at + 3u)), get_handover(at + 4u), list_load(at + 5u));
}
