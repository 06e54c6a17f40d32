// Statistic: two sums of the row's terms, which the epilogue gives as bits; what all terms of a row need, it loads once for sixteen.
struct Stat { first: f32, second: f32, first_met: u32, second_met: u32 }

struct Terms { first: vec4<u32>, second: vec4<u32> }

fn stat_zero() -> Stat { return Stat(0.0, 0.0, 0u, 0u); }

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  let input = terms_input(row);
  let t0 = terms(input, row, c);
  let t1 = terms(input, row, c + step);
  let t2 = terms(input, row, c + 2u * step);
  let t3 = terms(input, row, c + 3u * step);
  (*stat).first += (finite_sum(t0.first) + finite_sum(t1.first)) + (finite_sum(t2.first) + finite_sum(t3.first));
  (*stat).second += (finite_sum(t0.second) + finite_sum(t1.second)) + (finite_sum(t2.second) + finite_sum(t3.second));
  if (any_special(t0.first) || any_special(t1.first) || any_special(t2.first) || any_special(t3.first)) {
    (*stat).first_met |= met4(t0.first) | met4(t1.first) | met4(t2.first) | met4(t3.first);
  }
  if (any_special(t0.second) || any_special(t1.second) || any_special(t2.second) || any_special(t3.second)) {
    (*stat).second_met |= met4(t0.second) | met4(t1.second) | met4(t2.second) | met4(t3.second);
  }
}

fn stat_merge(a: Stat, b: Stat) -> Stat {
  return Stat(a.first + b.first, a.second + b.second, a.first_met | b.first_met, a.second_met | b.second_met);
}

fn stat_first(stat: Stat) -> u32 { return sum_bits(stat.first, stat.first_met); }
fn stat_second(stat: Stat) -> u32 { return sum_bits(stat.second, stat.second_met); }

fn stat_store(at: u32, stat: Stat) {
  put_handover(at, bitcast<u32>(stat.first));
  put_handover(at + 1u, bitcast<u32>(stat.second));
  put_handover(at + 2u, stat.first_met);
  put_handover(at + 3u, stat.second_met);
}

fn stat_load(at: u32) -> Stat {
  return Stat(
    bitcast<f32>(get_handover(at)), bitcast<f32>(get_handover(at + 1u)), get_handover(at + 2u), get_handover(at + 3u)
  );
}
