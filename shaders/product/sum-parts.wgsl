// Adds up the parts of a product's sums, one after the other: `depth` dense matrices, `part_stride` elements apart.
@compute @workgroup_size(WIDTH)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let at = 4u * (group_number(group) * WIDTH + lane);
  if (at >= params.columns) { return; }
  var sum = vec4<f32>();
  for (var i = 0u; i < params.depth; i++) { sum += four_b(0u, i * params.part_stride + at); }
  store_four(place_c(0u) + at, at, sum);
}
