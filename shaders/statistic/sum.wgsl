// Statistic: the sum of the row's terms, which the epilogue gives as bits.
struct Stat { sum: f32, met: u32 }

fn stat_zero() -> Stat { return Stat(0.0, 0u); }

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  let t0 = terms(row, c);
  let t1 = terms(row, c + step);
  let t2 = terms(row, c + 2u * step);
  let t3 = terms(row, c + 3u * step);
  (*stat).sum = keep((*stat).sum + sum4(vec4<f32>(finite_sum(t0), finite_sum(t1), finite_sum(t2), finite_sum(t3))));
  if (any_special(t0) || any_special(t1) || any_special(t2) || any_special(t3)) {
    (*stat).met |= met4(t0) | met4(t1) | met4(t2) | met4(t3);
  }
}

fn stat_merge(a: Stat, b: Stat) -> Stat { return Stat(keep(a.sum + b.sum), a.met | b.met); }

fn stat_sum(stat: Stat) -> u32 { return sum_bits(stat.sum, stat.met); }

fn stat_store(at: u32, stat: Stat) {
  put_handover(at, bitcast<u32>(stat.sum));
  put_handover(at + 1u, stat.met);
}

fn stat_load(at: u32) -> Stat { return Stat(bitcast<f32>(get_handover(at)), get_handover(at + 1u)); }
