// Strategy: one thread a row. No barrier, and no workgroup memory but for lists; for few classes and many rows.
@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = group_number(group) * WIDTH + local;
  if (row >= params.rows) { return; }
  own_lane = local;
  let input = row_input(row);
  var stat = stat_zero();
  absorb_all(&stat, row, 0u, params.classes, 4u);
  let result = row_finish(row, input, stat);
  row_output(row, result);
  if (EMITS) { emit_all(row, result, 0u, params.classes, 4u); }
}
