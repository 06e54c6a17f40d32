// Strategy row-per-thread of an op that needs no statistic: every element from its row's record, one thread a row.
@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = group_number(group) * WIDTH + local;
  if (row < params.rows) { emit_all(row, row_load(row), 0u, params.classes, 4u); }
}
