// Strategy split-row, pass 1 of 3: one workgroup a segment of a row writes that segment's statistic.
@compute @workgroup_size(WIDTH)
fn main(lane: Lane, @builtin(workgroup_id) group: vec3<u32>) {
  let unit = group_number(group);
  let row = unit / params.segments;
  if (row >= params.rows) { return; }
  let index = lane_index(lane);
  own_lane = index;
  let start = (unit % params.segments) * params.segment;
  let end = min(start + params.segment, params.classes);
  var own = stat_zero();
  // A segment is a multiple of WIDTH * 16 classes, so a step never reaches into the next one.
  absorb_all(&own, row, start + index * 4u, end, WIDTH * 4u);
  let stat = group_merge(own, lane);
  if (index == 0u) { stat_store((params.first_row * params.segments + unit) * STAT_WORDS, stat); }
}
