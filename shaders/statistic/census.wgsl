// Statistic: a census of class-index targets, read as one long row. How many count, their weight, and the first that is no class.
struct Stat {
  kept: u32,
  weight: f32,
  met: u32,
  bad_row: u32,   // NO_ROW if every target is a class or ignored
  bad_value: u32,
}
const NO_ROW: u32 = 0xffffffffu;

fn stat_zero() -> Stat { return Stat(0u, 0.0, 0u, NO_ROW, 0u); }

fn count_target(stat: ptr<function, Stat>, row: u32, target_class: u32) {
  if (row >= params.classes || is_ignored(target_class)) { return; }
  if (target_class >= params.extent) {
    if (row < (*stat).bad_row) {
      (*stat).bad_row = row;
      (*stat).bad_value = target_class;
    }
    return;
  }
  let weight = pick_weight(0u, target_class);
  (*stat).kept += 1u;
  (*stat).met |= met(weight);
  if (!is_special(weight)) { (*stat).weight = keep((*stat).weight + bitcast<f32>(flushed(weight))); }
}

fn stat_absorb(stat: ptr<function, Stat>, row: u32, c: u32, step: u32) {
  // Tested at their ends for the reason in absorption.wgsl.
  var i = 0u;
  loop {
    let first = c + i * step;
    let t = load_targets(0u, first);
    var j = 0u;
    loop {
      count_target(stat, first + j, t[j]);
      j++;
      if (j == 4u) { break; }
    }
    i++;
    if (i == 4u) { break; }
  }
}

fn stat_merge(a: Stat, b: Stat) -> Stat {
  let a_first = a.bad_row <= b.bad_row;
  return Stat(
    a.kept + b.kept, keep(a.weight + b.weight), a.met | b.met,
    select(b.bad_row, a.bad_row, a_first), select(b.bad_value, a.bad_value, a_first)
  );
}

fn stat_store(at: u32, stat: Stat) {
  put_handover(at, stat.kept);
  put_handover(at + 1u, bitcast<u32>(stat.weight));
  put_handover(at + 2u, stat.met);
  put_handover(at + 3u, stat.bad_row);
  put_handover(at + 4u, stat.bad_value);
}

fn stat_load(at: u32) -> Stat {
  return Stat(
    get_handover(at), bitcast<f32>(get_handover(at + 1u)), get_handover(at + 2u), get_handover(at + 3u), get_handover(at + 4u)
  );
}
