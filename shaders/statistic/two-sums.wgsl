// Statistic: two sums of the row's terms, which the epilogue gives as bits; what all terms of a row need, it loads once for sixteen.
struct Stat { first: f32, second: f32, first_met: u32, second_met: u32 }

struct Terms { first: vec4<u32>, second: vec4<u32> }

fn stat_zero() -> Stat { return Stat(0.0, 0.0, 0u, 0u); }

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  let input = terms_input(row);
  var first = vec4<f32>();
  var second = vec4<f32>();
  // A loop, since drivers take their time over the terms; tested at its end for the reason in absorption.wgsl.
  var k = 0u;
  loop {
    let t = terms(input, row, c + k * step);
    first[k] = finite_sum(t.first);
    second[k] = finite_sum(t.second);
    if (any_special(t.first) || any_special(t.second)) {
      (*stat).first_met |= met4(t.first);
      (*stat).second_met |= met4(t.second);
    }
    k++;
    if (k == 4u) { break; }
  }
  (*stat).first += sum4(first);
  (*stat).second += sum4(second);
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
