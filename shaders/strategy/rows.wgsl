// Strategy: one thread a row, for an op whose rows need no pass over their classes.
@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let row = group_number(group) * WIDTH + local;
  if (row < params.rows) { row_output(row, row_load(row)); }
}
