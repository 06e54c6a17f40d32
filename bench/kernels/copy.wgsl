// Moves words from one buffer to another and does nothing else: the yardstick for everything that is limited by memory.

override SIZE: u32 = 64;
// Loads of 16 bytes that each thread does, a workgroup apart.
override EACH: u32 = 1;

struct Params {
  // Units of 16 bytes.
  count: u32,
  // Workgroups in a row of the grid.
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(SIZE)
fn copy(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * params.width + group.x) * SIZE * EACH + lane;
  for (var k = 0u; k < EACH; k++) {
    let i = first + k * SIZE;
    if (i < params.count) {
      destination[i] = source[i];
    }
  }
}
