// Strategy: one workgroup a row, as in row-per-workgroup.wgsl, but each lane keeps its logits in registers from the first reading to the
// writing: a row is read once and written once. The loops have fixed lengths, so that compilers can unroll them and name the registers.
@compute @workgroup_size(WIDTH)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  let row = group_number(group);
  if (row >= params.rows) { return; }
  let index = lane_index(lane);
  own_lane = index;
  let first = index * 4u;
  let step = WIDTH * 4u;
  let input = row_input(row);
  var own = stat_zero();
  var kept: array<vec4<u32>, KEPT>;
  for (var i = 0u; i < KEPT; i += 4u) {
    let c = first + i * step;
    for (var j = 0u; j < 4u; j++) { kept[i + j] = raw_logits(row, c + j * step); }
    stat_absorb_raw(&own, c, step, kept[i], kept[i + 1u], kept[i + 2u], kept[i + 3u]);
  }
  let result = row_finish(row, input, group_merge(own, lane));
  // No lane writes over what another still reads.
  if (IN_PLACE) { storageBarrier(); }
  if (index == 0u) { row_output(row, result); }
  let end = select(0u, params.classes, row_is_usual(result));
  for (var i = 0u; i < KEPT; i++) {
    let c = first + i * step;
    if (c < end) { emit_raw(row, result, c, kept[i]); }
  }
  emit_rest(row, result, first, params.classes, step);
}
