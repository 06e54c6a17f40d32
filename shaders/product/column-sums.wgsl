// The sums of the columns of a matrix, each from its first row to its last.
@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let column = 4u * (group_number(group) * WIDTH + lane);
  if (column >= params.columns) { return; }
  var sum = vec4<f32>();
  for (var k = 0u; k < params.depth; k++) { sum += four_b(k, column); }
  store_four(place_c(0u) + column, column, sum);
}
