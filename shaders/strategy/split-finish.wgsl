// Strategy split-row, pass 2 of 3: one workgroup a row merges the statistics of its segments in a fixed order.
@compute @workgroup_size(WIDTH)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  let row = group_number(group);
  if (row >= params.rows) { return; }
  let index = lane_index(lane);
  own_lane = index;
  let first = row_number(row) * params.segments;
  var own = stat_zero();
  for (var s = index; s < params.segments; s += WIDTH) { own = stat_merge(own, stat_load((first + s) * STAT_WORDS)); }
  let stat = group_merge(own, lane);
  if (index == 0u) {
    let result = row_finish(row, row_input(row), stat);
    row_output(row, result);
    row_store(record_at(row), result);
  }
}
