// Statistic: the softmax of the row's logits, and the mean distance of its logits from the maximum:
// moment = sum exp(x_j - max) (max - x_j), so that the entropy is log S + moment / S: a sum of two terms that are never negative.
struct Stat {
  softmax: Softmax,
  moment: f32,
}

fn stat_zero() -> Stat { return Stat(softmax_zero(), 0.0); }

fn softmax_sum(s: Softmax) -> f32 { return keep(s.ties + s.rest); }

// The moment about a higher maximum.
fn moment_about(s: Softmax, moment: f32, top: i32) -> f32 {
  let reachable = s.top >= softmax_reach(top);
  let grown = keep(moment + keep(keep(key_value(top) - key_value(s.top)) * softmax_sum(s)));
  let moved = keep(softmax_shrink(s.top, top) * grown);
  return select(select(0.0, moved, reachable), moment, s.top == top);
}

fn moments(x: vec4<u32>, top: i32, reach: i32) -> f32 {
  let keys = order_keys(x);
  let terms = softmax_terms(x, keys, top, reach);
  let gaps = select(vec4<f32>(), keep4(vec4<f32>(key_value(top)) - bitcast<vec4<f32>>(x)), keys >= vec4<i32>(reach));
  return sum4(keep4(terms * gaps));
}

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  let x0 = logits_of(row, c);
  let x1 = logits_of(row, c + step);
  let x2 = logits_of(row, c + 2u * step);
  let x3 = logits_of(row, c + 3u * step);
  let old = (*stat).softmax;
  var s = old;
  softmax_absorb(&s, x0, x1, x2, x3);
  let reach = softmax_reach(s.top);
  let moment = moment_about(old, (*stat).moment, s.top);
  (*stat).moment = keep(moment + sum4(vec4<f32>(
    moments(x0, s.top, reach), moments(x1, s.top, reach), moments(x2, s.top, reach), moments(x3, s.top, reach)
  )));
  (*stat).softmax = s;
}

fn stat_merge(a: Stat, b: Stat) -> Stat {
  let s = softmax_merge(a.softmax, b.softmax);
  return Stat(s, keep(moment_about(a.softmax, a.moment, s.top) + moment_about(b.softmax, b.moment, s.top)));
}

fn stat_store(at: u32, stat: Stat) {
  softmax_store(at, stat.softmax);
  put_handover(at + 3u, bitcast<u32>(stat.moment));
}

fn stat_load(at: u32) -> Stat {
  let s = softmax_load(at);
  return Stat(s, bitcast<f32>(get_handover(at + 3u)));
}
