// Takes in the classes of a row that are this lane's, and keeps them until they are written: the row is read once. The loops here and in
// emission-kept.wgsl have fixed lengths, so that compilers can unroll them and name the registers.
var<private> kept: array<vec4<u32>, KEPT>;

fn absorb_all(stat: ptr<function, Stat>, row: u32, first: u32, end: u32, step: u32) {
  for (var i = 0u; i < KEPT; i += 4u) {
    let c = first + i * step;
    let x0 = raw_logits(row, c);
    let x1 = raw_logits(row, c + step);
    let x2 = raw_logits(row, c + 2u * step);
    let x3 = raw_logits(row, c + 3u * step);
    stat_absorb_raw(stat, c, step, x0, x1, x2, x3);
    kept[i] = x0;
    kept[i + 1u] = x1;
    kept[i + 2u] = x2;
    kept[i + 3u] = x3;
  }
}
