// Strategy split-row, pass 3 of 3, and all strategies but row-per-thread of an op that needs no statistic: every element from its row's record.
@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let unit = group_number(group);
  let row = unit / params.segments;
  if (row >= params.rows) { return; }
  let result = row_load(row);
  let start = (unit % params.segments) * params.segment;
  let end = min(start + params.segment, params.classes);
  emit_all(row, result, start + local * 4u, end, WIDTH * 4u);
}
