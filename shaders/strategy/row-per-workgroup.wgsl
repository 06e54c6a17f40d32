// Strategy: one workgroup a row. Class c belongs to lane (c / 4) % WIDTH, whatever the memory layout.
@compute @workgroup_size(WIDTH)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  let row = group_number(group);
  if (row >= params.rows) { return; }
  let index = lane_index(lane);
  own_lane = index;
  let input = row_input(row);
  var own = stat_zero();
  absorb_all(&own, row, index * 4u, params.classes, WIDTH * 4u);
  let result = row_finish(row, input, group_merge(own, lane));
  // No lane writes over what another still reads.
  if (IN_PLACE) { storageBarrier(); }
  if (index == 0u) { row_output(row, result); }
  if (EMITS) { emit_all(row, result, index * 4u, params.classes, WIDTH * 4u); }
}
