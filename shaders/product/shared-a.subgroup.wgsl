// Rows of A that all threads of a workgroup need: each reads a quarter, or the same as another one, and has the rest from its subgroup. Drivers in
// software read for each thread by itself, also where all read the same.
struct Lane {
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_invocation_id) within: u32,
}

fn shared_a(lane: Lane, row: u32, k: u32) -> mat4x4<f32> {
  let own = lane.within % 4u;
  if (A_BY_ROWS) { return of_four_lanes(four_a(row + own, k)); }
  return transpose(of_four_lanes(four_a(k + own, row)));
}

fn of_four_lanes(v: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(
    subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u)
  );
}
