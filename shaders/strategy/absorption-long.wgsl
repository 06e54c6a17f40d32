// As absorption.wgsl, for long rows of single classes: only the last step looks where the row ends. Every lane has a step before it.
fn inner_logits(row: u32, c: u32) -> vec4<u32> {
  let at = place_logits(row) + c;
  return flushed4(vec4<u32>(buffer_logits[at], buffer_logits[at + 1u], buffer_logits[at + 2u], buffer_logits[at + 3u]));
}

fn absorb_all(stat: ptr<function, Stat>, row: u32, first: u32, end: u32, step: u32) {
  var c = first;
  loop {
    stat_absorb_raw(
      stat, c, step, inner_logits(row, c), inner_logits(row, c + step), inner_logits(row, c + 2u * step), inner_logits(row, c + 3u * step)
    );
    c += 4u * step;
    if (c + 3u * step + 3u >= end) { break; }
  }
  stat_absorb(stat, row, c, step);
}
